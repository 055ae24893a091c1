#!/bin/bash
# Queue transfer of everything: what its nodes set up. Written by hpcctl; sourced by setup.sh.
# shellcheck disable=SC2034  # setup.sh uses the names

EFA=false
# NVIDIA; GPUs of other makers need no check.
case $POOL in
od) GPU=false ;;
*) GPU=false ;;
esac
HYPERTHREADING=true
JOBS_MAY_USE_ROLE=true
LOCAL_SCRATCH=''

on_start() {
  :
}

on_configured() {
  :
}
