import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import { everyMinutes, startDocument, type Job } from './plan';

/** A file of /etc/cron.d. */
export function renderCronFile(job: Job): string {
  return [
    '# Written by Holdfast; what is changed here is drift, and undone by the next `pulumi up`.',
    ...entries(job).map(({ when, command }) => `${when} ${job.owner} ${command}`),
    '',
  ].join('\n');
}

const begin = (name: string): string => `# BEGIN ${name}: written by Holdfast`;
const end = (name: string): string => `# END ${name}`;

/** The part of a user's crontab that is ours. */
export function renderCrontabBlock(job: Job): string {
  const lines = entries(job).map(({ when, command }) => `${when} ${command}`);
  return [begin(job.name), ...lines, end(job.name), ''].join('\n');
}

/** The block of that name in a crontab, as it stands there; null when there is none. */
export function findCrontabBlock(crontab: string, name: string): string | null {
  const found = crontab.split('\n');
  const [from, to] = [found.indexOf(begin(name)), found.indexOf(end(name))];
  return from < 0 || to < from ? null : [...found.slice(from, to + 1), ''].join('\n');
}

/** A crontab with the block of that name replaced (at the end when it is new), or removed; all other lines stay as they are. */
export function withCrontabBlock(crontab: string, name: string, block: string | null): string {
  const current = findCrontabBlock(crontab, name);
  if (current !== null)
    return crontab.replace(current.trimEnd() + (block === null ? '\n' : ''), () => block?.trimEnd() ?? '');
  if (block === null) return crontab;
  return crontab === '' || crontab.endsWith('\n') ? crontab + block : `${crontab}\n${block}`;
}

function entries(job: Job): { readonly when: string; readonly command: string }[] {
  const environment = Object.entries(job.environment).map(([name, value]) => `${name}=${quote(value)}`);
  const program = [...environment, ...job.command.map(quote)].join(' ');
  const into = (log: string): string => `>>${quote(path.join(job.log, log))} 2>&1`;
  const due = {
    when: `*/${everyMinutes} * * * *`,
    command: escape(`${program} run-due ${job.cluster} ${into('run-due.log')}`),
  };
  const boot = {
    when: '@reboot',
    command: escape(`echo ${quote(startDocument(job))} | ${program} host start ${into('start.log')}`),
  };
  const found = job.startsAtBoot ? [due, boot] : [due];
  for (const { command } of found) assertFits(command, job);
  return found;
}

/** cron (MAX_COMMAND) passes over a whole file for one that is longer, and only its log says so. */
const longestCommand = 998;

function assertFits(command: string, { cluster }: Job): void {
  const length = Buffer.byteLength(command);
  if (length <= longestCommand) return;
  throw new HoldfastError(
    'configuration',
    `the schedule of cluster ${cluster} has a command of ${length} characters, and cron takes ${longestCommand}`,
    { hint: 'Name a shorter directory: HOLDFAST_HOME, or connection.home.' },
  );
}

/** A word for the shell that cron starts. */
function quote(text: string): string {
  return /^[\w@+:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;
}

/** cron itself takes % for the end of the line, wherever it stands. */
function escape(command: string): string {
  return command.replace(/%/g, '\\%');
}
