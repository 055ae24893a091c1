#!/bin/bash
# A site script that cannot do what it should.
echo "no licence file" >&2
exit 7
