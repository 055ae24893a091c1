#!/bin/bash
# Queue cfd of fds-smv: what its nodes set up. Written by hpcctl; sourced by setup.sh.
# shellcheck disable=SC2034  # setup.sh uses the names

EFA=true
# NVIDIA; GPUs of other makers need no check.
case $POOL in
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
}
