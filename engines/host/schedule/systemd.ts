import path from 'node:path';
import { everyMinutes, startDocument, type Job } from './plan';

/** A unit file. */
export interface Unit {
  readonly name: string;
  readonly content: string;
}

const header = '# Written by Holdfast; what is changed here is drift, and undone by the next `pulumi up`.';

/** The units of a job: what is due, its timer, and the start at boot of a managed cluster. The timer and the start are enabled. */
export function renderUnits(job: Job): readonly Unit[] {
  const due = unit(`${job.name}.service`, {
    Unit: [['Description', `Holdfast: what is due for cluster ${job.cluster}`]],
    Service: [
      ['Type', 'oneshot'],
      ...execution(job, 'run-due.log'),
      ['ExecStart', commandLine(job, ['run-due', job.cluster])],
    ],
  });
  const timer = unit(`${job.name}.timer`, {
    Unit: [
      ['Description', `Holdfast: looks every ${everyMinutes} minutes what is due for cluster ${job.cluster}`],
    ],
    Timer: [
      ['OnCalendar', `*:0/${everyMinutes}`],
      ['AccuracySec', '15s'],
    ],
    Install: [['WantedBy', 'timers.target']],
  });
  return job.startsAtBoot ? [due, timer, startUnit(job)] : [due, timer];
}

/** The names of the units that are enabled. */
export function enabledUnits(job: Pick<Job, 'name' | 'startsAtBoot'>): string[] {
  return job.startsAtBoot ? [`${job.name}.timer`, startUnitName(job)] : [`${job.name}.timer`];
}

const startUnitName = (job: Pick<Job, 'name'>): string => `${job.name}-start.service`;

function startUnit(job: Job): Unit {
  return unit(startUnitName(job), {
    Unit: [
      ['Description', `Holdfast: PostgreSQL cluster ${job.cluster}`],
      ['After', 'network.target'],
      ['RequiresMountsFor', quote(job.dataDirectory)],
    ],
    Service: [
      ['Type', 'oneshot'],
      ['RemainAfterExit', 'yes'],
      ...execution(job, 'start.log'),
      ['StandardInput', 'data'],
      ['StandardInputText', specifiers(startDocument(job))],
      ['ExecStart', commandLine(job, ['host', 'start'])],
      ['ExecStop', commandLine(job, ['host', 'stop'])],
      ['TimeoutSec', '600'],
    ],
    Install: [['WantedBy', 'multi-user.target']],
  });
}

type Entry = readonly [key: string, value: string];

function execution(job: Job, log: string): Entry[] {
  const environment = Object.entries(job.environment).map(([name, value]) => quote(`${name}=${value}`));
  const file = `append:${specifiers(path.join(job.log, log))}`;
  return [
    ['User', job.owner],
    ['WorkingDirectory', '/'],
    ['Environment', environment.join(' ')],
    ['StandardOutput', file],
    ['StandardError', file],
  ];
}

function commandLine(job: Job, args: readonly string[]): string {
  // `$` would begin a variable in a command line, and nowhere else.
  return [...job.command, ...args].map(word => quote(word).replace(/\$/g, '$$$$')).join(' ');
}

function unit(name: string, sections: Readonly<Record<string, readonly Entry[]>>): Unit {
  const text = Object.entries(sections).map(([section, entries]) =>
    [`[${section}]`, ...entries.map(([key, value]) => `${key}=${value}`), ''].join('\n'),
  );
  return { name, content: [header, ...text].join('\n') };
}

/** systemd.unit(5): % begins a specifier everywhere. */
const specifiers = (text: string): string => text.replace(/%/g, '%%');

function quote(text: string): string {
  const escaped = specifiers(text.replace(/\\/g, '\\\\').replace(/"/g, '\\"'));
  return /^[\w@+:,./=-]+$/.test(text) ? text : `"${escaped}"`;
}
