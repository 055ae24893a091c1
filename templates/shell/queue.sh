#!/bin/bash
# Queue {{ queue }} of {{ cluster }}: what its nodes set up. Written by hpcctl; sourced by setup.sh.
# shellcheck disable=SC2034  # setup.sh uses the names

EFA={{ efa }}
# NVIDIA; GPUs of other makers need no check.
case $POOL in
{% for pool in pools %}
{{ pool.name | sh }}) GPU={{ pool.nvidia }} ;;
{% endfor %}
*) GPU=false ;;
esac
HYPERTHREADING={{ hyperthreading }}
JOBS_MAY_USE_ROLE={{ jobs_may_use_role }}
LOCAL_SCRATCH={{ local_scratch | sh }}

on_start() {
  :
{% for it in actions.on_start %}
  run_action on_start {{ it.number }} {{ it.script | sh }}{% for arg in it.args %} {{ arg | sh }}{% endfor %}

{% endfor %}
}

on_configured() {
  :
{% for it in actions.on_configured %}
  run_action on_configured {{ it.number }} {{ it.script | sh }}{% for arg in it.args %} {{ arg | sh }}{% endfor %}

{% endfor %}
}
