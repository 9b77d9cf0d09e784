"""What moto lacks of copies that are kept elsewhere:

- jobs of AWS Backup that take and copy recovery points of an instance, done at once; the snapshot below one is RDS's, of type awsbackup;
- the list of them by resource, in pages, without those that are in no vault;
- replication of automated backups to another region.
"""

import json
import time
import uuid
from datetime import timedelta
from urllib.parse import unquote

from moto.backup import urls
from moto.backup.models import backup_backends
from moto.backup.responses import BackupResponse
from moto.core.responses import ActionResult
from moto.rds import models, responses

PAGE = 20

urls.url_paths.update(
    {
        "{0}/backup-jobs/?$": BackupResponse.dispatch,
        "{0}/copy-jobs/?$": BackupResponse.dispatch,
        "{0}/resources/(?P<arn>.+)/recovery-points/?$": BackupResponse.dispatch,
    }
)


def points_of(backend):
    return vars(backend).setdefault("recovery_points", [])


def keep(backend, vault_name, resource, snapshot, job):
    account, region = backend.account_id, backend.region_name
    point = {
        "RecoveryPointArn": f"arn:aws:rds:{region}:{account}:snapshot:{snapshot}",
        "CreationDate": time.time(),
        "Status": "COMPLETED",
        "EncryptionKeyArn": f"arn:aws:kms:{region}:{account}:key/backup",
        "BackupVaultName": vault_name,
        "VaultType": "BACKUP_VAULT",
    }
    points_of(backend).append((resource, point))
    return json.dumps({job: snapshot.split("job-")[-1], "CreationDate": point["CreationDate"]})


def start_backup_job(self):
    asked = json.loads(self.body)
    instance = asked["ResourceArn"].split(":")[-1]
    snapshot = f"awsbackup:job-{uuid.uuid4()}"
    rds = models.rds_backends[self.current_account][self.region]
    rds.create_db_snapshot(instance, snapshot, snapshot_type="awsbackup")
    return keep(
        self.backup_backend, asked["BackupVaultName"], asked["ResourceArn"], snapshot, "BackupJobId"
    )


def start_copy_job(self):
    asked = json.loads(self.body)
    resource = next(
        resource
        for resource, point in points_of(self.backup_backend)
        if point["RecoveryPointArn"] == asked["RecoveryPointArn"]
    )
    region, _, _, vault = asked["DestinationBackupVaultArn"].split(":")[3:]
    there = backup_backends[self.current_account][region]
    return keep(there, vault, resource, f"awsbackup:copyjob-{uuid.uuid4()}", "CopyJobId")


def list_recovery_points_by_resource(self):
    asked = self._get_params()
    if asked.get("managedByAWSBackupOnly") != "true":
        raise NotImplementedError("snapshots that AWS Backup has nothing to do with")
    arn = unquote(self.path.split("/")[2])
    found = [point for resource, point in points_of(self.backup_backend) if resource == arn]
    first = int(asked.get("nextToken") or 0)
    end = first + min(int(asked["maxResults"]), PAGE)
    answer = {"RecoveryPoints": found[first:end]}
    return json.dumps(answer | ({"NextToken": str(end)} if end < len(found) else {}))


BackupResponse.start_backup_job = start_backup_job
BackupResponse.start_copy_job = start_copy_job
BackupResponse.list_recovery_points_by_resource = list_recovery_points_by_resource


class AutomatedBackup:
    """One that is replicated says the region of its instance, too."""

    def __init__(self, instance, status="active"):
        self.db_instance_identifier = instance.db_instance_identifier
        self.dbi_resource_id = instance.dbi_resource_id
        self.region = instance.region
        self.status = status
        self.encrypted = instance.storage_encrypted
        self.restore_window = {
            "earliest_time": instance.created - timedelta(days=1),
            "latest_time": models.utcnow(),
        }


def instance_of(arn):
    region, account, _, name = arn.split(":")[3:]
    return models.rds_backends[account][region].databases[name]


def start_replication(self):
    arn = self.params.get("SourceDBInstanceArn")
    vars(self.backend).setdefault("replicated", []).append(arn)
    return ActionResult({"DBInstanceAutomatedBackup": AutomatedBackup(instance_of(arn), "pending")})


responses.RDSResponse.start_db_instance_automated_backups_replication = start_replication


def describe(self, db_instance_identifier=None, dbi_resource_id=None, **_):
    own = [AutomatedBackup(one) for one in self.databases.values() if one.backup_retention_period]
    replicated = [
        AutomatedBackup(instance_of(arn), "replicating") for arn in vars(self).get("replicated", [])
    ]
    return [
        backup
        for backup in own + replicated
        if db_instance_identifier in (None, backup.db_instance_identifier)
        and dbi_resource_id in (None, backup.dbi_resource_id)
    ]


models.RDSBackend.describe_db_instance_automated_backups = describe
