#!/bin/bash
# Queue batch of mixed-capacity: what its nodes set up. Written by hpcctl; sourced by setup.sh.
# shellcheck disable=SC2034  # setup.sh uses the names

EFA=false
# NVIDIA; GPUs of other makers need no check.
case $POOL in
od-2xl) GPU=false ;;
od-4xl) GPU=false ;;
od-9xl) GPU=false ;;
spot-18xl) GPU=false ;;
spot-9xl) GPU=false ;;
spot-4xl) GPU=false ;;
spot-2xl) GPU=false ;;
*) GPU=false ;;
esac
HYPERTHREADING=true
JOBS_MAY_USE_ROLE=false
LOCAL_SCRATCH=''

on_start() {
  :
}

on_configured() {
  :
}
