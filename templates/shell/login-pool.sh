#!/bin/bash
# Login pool {{ pool }} of {{ cluster }}. Written by hpcctl; sourced by setup.sh.

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

{% if dcv %}
{{ dcv }}
{% else %}
setup_dcv() { :; }
{% endif %}
