"""generate.py N: a cluster file with N queues of two pools each, on stdout."""

import sys

HEAD = """version: 1
name: bench
region: eu-west-1
network:
  vpc_id: vpc-0a1b2c3d4e5f67890
  head_node_subnet: subnet-0a1b2c3d4e5f67890
  compute_subnets: [subnet-0b1c2d3e4f5a67891]
head_node: { instance_type: c5.xlarge }
storage:
  - name: scratch
    mount: /fsx
    fsx_lustre:
      deployment: SCRATCH_2
      capacity_gib: 1200
      data_repository: { import: s3://bench-bucket, export: s3://bench-bucket/results }
queues:
"""

QUEUE = """  - name: q{n}
    default: {default}
    pools:
      - {{ name: od, instance_types: [c5.4xlarge], max: 10 }}
      - name: spot
        purchase: spot
        allocation: price-capacity-optimized
        instance_types: [c5.4xlarge, m5.4xlarge]
        max: 20
        on_interruption: requeue
"""

count = int(sys.argv[1])
sys.stdout.write(HEAD)
for n in range(count):
    sys.stdout.write(QUEUE.format(n=n, default="true" if n == 0 else "false"))
