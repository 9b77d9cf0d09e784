import * as z from 'zod';
import { formatDuration } from '../../core/durations';
import type { RepositoryEvidence } from '../../core/evidence';
import type { ClusterSettings, HostClusterSettings, RepositorySettings } from '../../core/settings/stack';
import { pauseBeyond } from '../schedule';
import { defineRule, violation } from '../rule';

export const backupsDeclared = defineRule({
  name: 'backups-declared',
  description:
    'Every production cluster declares schedules that keep its limits, enough retention, and encryption off the machine.',
  severity: 'high',
  remediation: 'Correct holdfast:clusters.<cluster>.backups in the stack file; see docs/configuration.md.',
  enforcement: 'mandatory',
  holds: 'production',
  configuration: z.strictObject({
    minimumFullBackups: z
      .number()
      .int()
      .min(1)
      .default(2)
      .describe('Full backups that retention has to keep at least.'),
    requireOffMachine: z
      .boolean()
      .default(false)
      .describe('Whether every cluster needs a repository off its machine.'),
  }),
  async judgeStack(stack, { minimumFullBackups, requireOffMachine }) {
    const judged = Object.entries(stack.clusters).map(async ([cluster, settings]) => {
      const reading = await stack.evidence(cluster);
      const repositories = reading.state === 'read' ? reading.evidence.repositories : [];
      return [
        ...sparseSchedules(settings, stack.now),
        // RDS has its own rules for what it keeps, and keeps it elsewhere.
        ...(settings.engine === 'host' ? shortRetention(settings, minimumFullBackups) : []),
        ...(settings.engine === 'host' && requireOffMachine ? nowhereElse(settings) : []),
        ...repositories.filter(isExposed).map(exposed),
      ].map(({ found, fix }) => violation(cluster, found, fix));
    });
    return (await Promise.all(judged)).flat();
  },
});

interface Fault {
  readonly found: string;
  readonly fix: string;
}

/** A schedule that pauses for longer than a limit makes the gate close between two runs. */
function sparseSchedules({ backups }: ClusterSettings, now: string): Fault[] {
  const { schedules, maximumAge, verificationMaximumAge } = backups;
  const check = (crons: readonly string[], what: string, limit: number, keys: string): Fault[] => {
    const pause = pauseBeyond(crons, limit, now);
    if (pause === null) return [];
    return [
      {
        found: `${formatDuration(pause)} can pass between two scheduled ${what}s; at most ${formatDuration(limit)} is allowed`,
        fix: `schedule them more often: backups.schedules.${keys} in the stack file`,
      },
    ];
  };
  const { full, differential, incremental, verification } = schedules;
  return [
    ...check([full, differential, incremental], 'backup', maximumAge, 'full, differential or incremental'),
    ...check([verification], 'verification', verificationMaximumAge, 'verification'),
  ];
}

function shortRetention({ backups }: HostClusterSettings, minimum: number): Fault[] {
  const { full } = backups.retention;
  if (full >= minimum) return [];
  return [
    {
      found: `retention keeps ${full} full backups; at least ${minimum} are needed`,
      fix: `set backups.retention.full to ${minimum} or more in the stack file`,
    },
  ];
}

const isElsewhere = (repository: RepositorySettings) => repository.type !== 'local';

function nowhereElse({ backups }: HostClusterSettings): Fault[] {
  if (backups.repositories.some(isElsewhere)) return [];
  return [
    {
      found: 'all its repositories are on its own machine, and are lost with it; one elsewhere is needed',
      fix: 'add a repository of type s3 to backups.repositories in the stack file',
    },
  ];
}

const isExposed = ({ offMachine, encrypted }: RepositoryEvidence) => offMachine && !encrypted;

function exposed({ id, location }: RepositoryEvidence): Fault {
  return {
    found: `repository ${id} (${location}) is off the machine and not encrypted`,
    fix: 'set encryption and passphrase of the repository in the stack file: a repository is encrypted when it is created, so begin a new one',
  };
}
