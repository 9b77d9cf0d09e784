"""moto's server, with what it lacks or does otherwise than AWS made right: python server.py PORT

- every instance has a resource id of its own (moto gives all the same one);
- an endpoint is this machine, so that a PostgreSQL on the instance's port stands for it;
- without automated backups there is no latest restorable time;
- automated backups say which instance they are of and how far back they reach;
- snapshots come in pages;
- what a restore says to be false or 0 is so (moto takes it from the original);
- a restored instance has the tags that the restore names, and no others;
- a stopped instance is not renamed;
- the account says how many manual snapshots it has, and may have;
- parameters are reset, event subscriptions and backup plans are changed;
- copies elsewhere are taken and listed (copies.py).
"""

import json
import os
import sys
import uuid

import copies  # noqa: F401
from moto.backup.responses import BackupResponse
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.rds import models, responses


def corrected(owner, name):
    def replace(make):
        setattr(owner, name, make(getattr(owner, name)))

    return replace


def new_resource_id():
    return "db-" + uuid.uuid4().hex[:26].upper()


@corrected(models.DBInstance, "__init__")
def _(original):
    def init(self, *args, **kwargs):
        original(self, *args, **kwargs)
        self.dbi_resource_id = new_resource_id()

    return init


@corrected(models.RDSBackend, "create_db_instance_read_replica")
def _(original):
    def create(self, *args, **kwargs):
        replica = original(self, *args, **kwargs)
        replica.dbi_resource_id = new_resource_id()
        return replica

    return create


models.DBInstance.address = property(lambda self: "localhost")
models.DBInstance.latest_restorable_time = property(
    lambda self: models.utcnow() if self.backup_retention_period else None
)


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


def reset_db_parameter_group(self):
    name = self.params.get("DBParameterGroupName")
    group = self.backend.describe_db_parameter_groups({"db_parameter_group_name": name})[0]
    for parameter in self.params.get("Parameters", []):
        group.parameters.pop(parameter.original_dict()["ParameterName"], None)
    return ActionResult({"DBParameterGroupName": group.name})


responses.RDSResponse.reset_db_parameter_group = reset_db_parameter_group


def changes_event_subscription(change):
    def handle(self):
        name = self.params.get("SubscriptionName")
        subscription = self.backend.describe_event_subscriptions(name)[0]
        change(subscription, self.params)
        return ActionResult({"EventSubscription": subscription})

    return handle


def modify(subscription, params):
    for member in ("SnsTopicArn", "SourceType", "EventCategories", "Enabled"):
        if params.get(member) is not None:
            setattr(subscription, camelcase_to_underscores(member), params.get(member))


def add_source(subscription, params):
    subscription.source_ids = [*subscription.source_ids, params.get("SourceIdentifier")]


def remove_source(subscription, params):
    subscription.source_ids = [
        source for source in subscription.source_ids if source != params.get("SourceIdentifier")
    ]


responses.RDSResponse.modify_event_subscription = changes_event_subscription(modify)
responses.RDSResponse.add_source_identifier_to_subscription = changes_event_subscription(add_source)
responses.RDSResponse.remove_source_identifier_from_subscription = changes_event_subscription(remove_source)


def update_backup_plan(self):
    plan = self.backup_backend.get_backup_plan(self.path.rstrip("/").split("/")[-1], None)
    changed = type(plan)(json.loads(self.body)["BackupPlan"], plan.creator_request_id, self.backup_backend)
    plan.backup_plan, plan.version_id = changed.backup_plan, changed.version_id
    plan.advanced_backup_settings = changed.advanced_backup_settings
    return json.dumps(plan.to_dict())


BackupResponse.update_backup_plan = update_backup_plan

if __name__ == "__main__":
    from moto.server import main

    os.environ.setdefault("MOTO_RDS_SNAPSHOT_LIMIT", "1000")
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
