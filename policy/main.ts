import fs from 'node:fs';
import { PolicyPack } from '@pulumi/policy';
// Not from '@pulumi/pulumi': all of it takes longer to load than the pack (see build.cjs).
import { getProject, getStack } from '@pulumi/pulumi/metadata';
import { allConfig } from '@pulumi/pulumi/runtime/config';
import { isDryRun } from '@pulumi/pulumi/runtime/settings';
import { readEvidence } from './evidence/read';
import { recordDecision } from './evidence/record';
import { policiesOf } from './pack';
import { readStackFile } from './stack-file';
import { Stack } from './stack';

const prefix = 'holdfast:';

/** Serves the pack to the engine that started this process: one process judges one preview or one update. */
export function main(): void {
  const now = () => new Date().toISOString();
  // There is no project while a pack is published: it is asked for when there is something to judge.
  const judged = new Stack({
    now: now(),
    raw: settingsBelow(allConfig()),
    read: (cluster, settings, source) =>
      readEvidence({ cluster, stack: `${getProject()}/${getStack()}`, settings, source, now }),
    record: (cluster, settings, source, decision) =>
      recordDecision(
        {
          cluster,
          stack: `${getProject()}/${getStack()}`,
          operation: isDryRun() ? 'preview' : 'update',
          ...decision,
        },
        settings,
        source,
      ),
    stackFile: file =>
      readStackFile({ project: getProject(), stack: getStack(), directories: likelyDirectories(), file }),
  });
  new PolicyPack('holdfast', { enforcementLevel: 'mandatory', policies: policiesOf(judged) });
  judged.readAhead();
}

function settingsBelow(config: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

/** Pulumi doesn't tell a pack where the project is: where it was started, where its language host works, around the pack. */
function likelyDirectories(): string[] {
  return [`/proc/${process.ppid}/cwd`, process.env.PWD ?? '.', '..']
    .filter(directory => fs.existsSync(directory))
    .map(directory => fs.realpathSync(directory));
}
