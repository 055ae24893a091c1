#!/bin/bash
# Queue mpi of everything: what its nodes set up. Written by hpcctl; sourced by setup.sh.
# shellcheck disable=SC2034  # setup.sh uses the names

EFA=true
# NVIDIA; GPUs of other makers need no check.
case $POOL in
reserved) GPU=false ;;
group) GPU=false ;;
od) GPU=false ;;
*) GPU=false ;;
esac
HYPERTHREADING=false
JOBS_MAY_USE_ROLE=true
LOCAL_SCRATCH=''

on_start() {
  :
}

on_configured() {
  :
  run_action on_configured 1 s3://reference-tools/site.sh --role mpi
}
