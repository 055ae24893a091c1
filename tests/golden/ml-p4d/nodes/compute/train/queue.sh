#!/bin/bash
# Queue train of ml-p4d: what its nodes set up. Written by hpcctl; sourced by setup.sh.
# shellcheck disable=SC2034  # setup.sh uses the names

EFA=true
# NVIDIA; GPUs of other makers need no check.
case $POOL in
reserved) GPU=true ;;
od) GPU=true ;;
*) GPU=false ;;
esac
HYPERTHREADING=false
JOBS_MAY_USE_ROLE=true
LOCAL_SCRATCH=/scratch

on_start() {
  :
}

on_configured() {
  :
  run_action on_configured 1 s3://training-tools/gpu-clocks.sh 1215,1410
}
