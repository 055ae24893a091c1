#!/bin/bash
# Queue gpu of everything: what its nodes set up. Written by hpcctl; sourced by setup.sh.
# shellcheck disable=SC2034  # setup.sh uses the names

EFA=true
# NVIDIA; GPUs of other makers need no check.
case $POOL in
block) GPU=true ;;
*) GPU=false ;;
esac
HYPERTHREADING=false
JOBS_MAY_USE_ROLE=false
LOCAL_SCRATCH=/scratch

on_start() {
  :
}

on_configured() {
  :
}
