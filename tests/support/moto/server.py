"""moto's server, with what it lacks or does otherwise than AWS made right: python server.py PORT

- every instance has a resource id of its own (moto gives all the same one);
- an endpoint is this machine, so that a PostgreSQL on the instance's port stands for it;
- without automated backups there is no latest restorable time;
- automated backups say which instance they are of and how far back they reach;
- snapshots come in pages;
- what a restore says to be false or 0 is so (moto takes it from the original);
- a restored instance has the tags that the restore names, and no others;
- a stopped instance is not renamed;
- the account says how many manual snapshots it has, and may have.
"""

import os
import sys
import uuid
from datetime import timedelta

from moto.core.responses import ActionResult
from moto.rds import models, responses


def corrected(owner, name):
    def replace(make):
        setattr(owner, name, make(getattr(owner, name)))

    return replace


@corrected(models.DBInstance, "__init__")
def _(original):
    def init(self, *args, **kwargs):
        original(self, *args, **kwargs)
        self.dbi_resource_id = "db-" + uuid.uuid4().hex[:26].upper()

    return init


models.DBInstance.address = property(lambda self: "localhost")
models.DBInstance.latest_restorable_time = property(
    lambda self: models.utcnow() if self.backup_retention_period else None
)


class AutomatedBackup:
    def __init__(self, instance):
        self.db_instance_identifier = instance.db_instance_identifier
        self.dbi_resource_id = instance.dbi_resource_id
        self.region = instance.region
        self.status = "active"
        self.restore_window = {
            "earliest_time": instance.created - timedelta(days=1),
            "latest_time": models.utcnow(),
        }


@corrected(models.RDSBackend, "describe_db_instance_automated_backups")
def _(original):
    def describe(self, db_instance_identifier=None, dbi_resource_id=None, **_):
        return [
            AutomatedBackup(instance)
            for instance in self.databases.values()
            if instance.backup_retention_period
            and db_instance_identifier in (None, instance.db_instance_identifier)
            and dbi_resource_id in (None, instance.dbi_resource_id)
        ]

    return describe


@corrected(responses.RDSResponse, "describe_db_snapshots")
def _(original):
    def describe(self):
        found = original(self)._result["DBSnapshots"]
        first = int(self.params.get("Marker") or 0)
        end = first + int(self.params.get("MaxRecords") or 100)
        marker = str(end) if end < len(found) else None
        return ActionResult({"DBSnapshots": found[first:end], "Marker": marker})

    return describe


def overridden(original):
    def restore(self, *args):
        overrides = args[-1]
        instance = original(self, *args)
        for key, value in overrides.items():
            if value is False or value == 0:
                setattr(instance, key, value)
        instance.tags = overrides.get("tags") or []
        return instance

    return restore


corrected(models.RDSBackend, "restore_db_instance_to_point_in_time")(overridden)
corrected(models.RDSBackend, "restore_db_instance_from_db_snapshot")(overridden)


@corrected(models.RDSBackend, "modify_db_instance")
def _(original):
    def modify(self, db_instance_identifier, db_kwargs):
        instance = self.describe_db_instances(db_instance_identifier)[0]
        if instance.status == "stopped":
            raise models.InvalidDBInstanceStateError(db_instance_identifier, "stop")
        return original(self, db_instance_identifier, db_kwargs)

    return modify


def describe_account_attributes(self):
    manual = [s for s in self.backend.database_snapshots.values() if s.snapshot_type == "manual"]
    quota = {
        "AccountQuotaName": "ManualSnapshots",
        "Used": len(manual),
        "Max": self.backend.SNAPSHOT_QUOTA,
    }
    return ActionResult({"AccountQuotas": [quota]})


responses.RDSResponse.describe_account_attributes = describe_account_attributes

if __name__ == "__main__":
    from moto.server import main

    os.environ.setdefault("MOTO_RDS_SNAPSHOT_LIMIT", "1000")
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
