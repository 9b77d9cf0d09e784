import { Command } from 'commander';
import { act, type CommandContext } from '../invocation';
import type { HostJobName } from '../../jobs/host';

/** What each reads and does; a table of its own, so that the help needs none of the jobs. */
const hostCommands: Readonly<Record<HostJobName, { reads: string; summary: string }>> = {
  begin: {
    reads: '{ cluster, specification }',
    summary: 'that first provision or adoption of a cluster on Amazon RDS has begun',
  },
  apply: {
    reads: '{ specification, revision }',
    summary: 'the endpoint, identity and credentials of the cluster that it made what it shall be',
  },
  databases: {
    reads: '{ cluster }',
    summary: 'what was changed in the declared databases that only a superuser can',
  },
  inspect: {
    reads: '{ specification }',
    summary: 'how the cluster differs from what it shall be',
  },
  evidence: { reads: '{ cluster, specification? }', summary: 'what is known of the cluster’s backups now' },
  report: { reads: '{ cluster }', summary: 'all that `holdfast status` says of the cluster' },
  snapshot: {
    reads: '{ cluster, change, dryRun, breakGlass, specification }',
    summary: 'a restore point, and a backup where needed, before a change',
  },
  gate: {
    reads: '{ cluster, operation, stack, decision, reasons }',
    summary: 'whether what the policy pack decided was written into the audit log',
  },
  start: { reads: '{ cluster }', summary: 'whether the cluster was started, or ran already' },
  stop: { reads: '{ cluster }', summary: 'whether the cluster was stopped, or did not run' },
  schedule: { reads: '{ cluster }', summary: 'where the timer of the cluster was written' },
  unschedule: { reads: '{ cluster }', summary: 'what was removed of the timer of the cluster' },
  remove: {
    reads: '{ cluster, specification? }',
    summary: 'the staging cluster that was removed, with its backups',
  },
  seal: {
    reads: '{ cluster, specification? }',
    summary: 'nothing of note, or ends with 3 while the cluster holds data',
  },
  erase: {
    reads: '{ specification, backupSet, what }',
    summary: 'the production cluster that was erased, its repository kept; only `holdfast down` asks for it',
  },
};

export function hostCommand(context: CommandContext): Command {
  const group = new Command('host').description(
    'What Pulumi, the policy pack and the timer ask of a cluster’s machine. Each reads one JSON document on standard input ' +
      'and prints one on standard output; docs/architecture.md describes them.',
  );
  for (const [name, { reads, summary }] of Object.entries(hostCommands) as [
    HostJobName,
    { reads: string; summary: string },
  ][]) {
    const command = new Command(name)
      .summary(summary)
      .description(`Reads ${reads} as JSON on standard input and prints, as JSON, ${summary}.`);
    group.addCommand(
      act(command, context, async ({ io, home, region, watch }) => {
        const { hostJobs } = await import('../../jobs/host');
        const answer = await hostJobs[name]({ home, region }, await io.lines.document(), watch);
        io.stdout.write(`${JSON.stringify(answer)}\n`);
        return 0;
      }),
    );
  }
  return group;
}
