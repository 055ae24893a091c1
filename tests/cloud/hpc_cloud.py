"""The test cloud: MiniStack (PyPI) with what an HPC cluster needs and MiniStack lacks, on 127.0.0.1.

    fsx, fsx_tasks   Amazon FSx for Lustre and its data-repository tasks
    cfn_types        CloudFormation types: EC2's, IAM::RolePolicy, Budgets::Budget
    cfn_fsx          CloudFormation types of FSx
    guard            schema validation, faults and dependency checks before every handler
    corrections      where MiniStack differs from AWS
    drift_readers    drift detection by comparing with live state
    stack_policies   stack policies, enforced
    fleet            CreateFleet with capacity errors
    fis              spot interruptions by Fault Injection Service (a fake: no emulator has it)
    faults           the faults file
    heads            head nodes: their reports, their consoles
    iam_principals   every call of a node or person, held against policies (with `iam_access`, `iam_policy`)
    images           the vendors' machine images
    refusals         types of logical ids, clean-ups, volumes and networks in use
    inventory        what account and region have: offerings, quotas, reservations (fakes)
    instances        addresses of the subnet, user data, spot
    volumes          volumes in use, protected instances, addresses that move

`start` runs it, with the proxy that judges the requests in front. Environment: GATEWAY_PORT,
HPC_FAULTS, HPC_FSX_FILES, HPC_FSX_DELAY, HPC_GROUND, HPC_INTERRUPTIONS, HPC_FIS_MINUTE, and MiniStack's own.
"""

import sys

import cfn_fsx
import cfn_types
import corrections
import drift_readers
import fis
import fleet
import fsx
import guard
import heads
import iam_principals
import images
import instances
import inventory
import protections
import refusals
import stack_policies
import volumes
from emulator import HANDLERS, app


def main():
    for part in (fsx, fis, cfn_types, cfn_fsx, fleet, heads, iam_principals, images, inventory, instances, corrections, volumes,
                 drift_readers, protections, stack_policies, guard, refusals):
        part.install()
    print(f"test cloud: {len(HANDLERS)} CloudFormation types", flush=True)
    sys.argv = sys.argv[:1]
    app.main()


if __name__ == "__main__":
    main()
