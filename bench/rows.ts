import fs from 'node:fs';
import path from 'node:path';
import { seconds, type Bench } from './bench';
import { peakMemory, secondsOf, timed } from './measure';
import { rawClone } from './raw-clone';
import type { Row } from './row';
import { ownProgram } from '../jobs/program';
import { repositoryRoot } from '../tests/support/pulumi';

const largeBytes = 2 * 1024 ** 3;
const large = (bench: Bench) => bench.fill(largeBytes);

/** The bars of docs/performance.md. */
export const rows: readonly Row[] = [
  {
    on: 'host',
    id: 'preview',
    what: '`pulumi preview` of prod with the pack / without',
    bar: 1.35,
    unit: 'ratio',
    pairs: 7,
    ours: bench => seconds(timed(bench.preview('prod', { bare: false }))),
    raw: bench => seconds(timed(bench.preview('prod', { bare: true }))),
  },
  {
    on: 'host',
    id: 'status',
    what: '`holdfast status` of one cluster / `node -e 0` + `pgbackrest info` + one `psql`',
    bar: 2,
    unit: 'ratio',
    pairs: 11,
    ours: bench => seconds(timed(bench.holdfast('status', 'prod'))),
    raw: async bench => {
      const node = await timed({ program: process.execPath, args: ['-e', '0'] });
      const info = await timed(bench.pgbackrest('info', '--output=json'));
      const psql = await timed(bench.psql('select 1'));
      return node.seconds + info.seconds + psql.seconds;
    },
  },
  {
    on: 'host',
    id: 'start',
    what: 'second `npm start`, nothing to do / two bare `pulumi preview`',
    bar: 2,
    unit: 'ratio',
    pairs: 5,
    ours: bench =>
      seconds(
        timed({
          program: 'npm',
          args: ['start', '--silent'],
          cwd: repositoryRoot,
          env: { ...process.env, HOLDFAST_HOME: bench.home },
        }),
      ),
    raw: async bench => {
      const staging = await timed(bench.preview('staging', { bare: true }));
      const prod = await timed(bench.preview('prod', { bare: true }));
      return staging.seconds + prod.seconds;
    },
  },
  {
    on: 'host',
    id: 'backup',
    what: '`holdfast backup` of 2 GB, full / `pgbackrest backup` with the same options',
    bar: 1.05,
    unit: 'ratio',
    pairs: 3,
    prepare: large,
    ours: bench => seconds(timed(bench.holdfast('backup', 'prod', '--kind', 'full'))),
    raw: bench => seconds(timed(bench.pgbackrest('--type=full', 'backup'))),
  },
  {
    on: 'host',
    id: 'clone',
    what: '`holdfast clone` of 2 GB until it answers queries / raw restore, start, promote',
    bar: 1.1,
    unit: 'ratio',
    pairs: 3,
    prepare: large,
    ours: async bench => {
      const made = await timed(bench.holdfast('clone', 'prod', '--latest', '--json'));
      const { id } = JSON.parse(made.stdout) as { id: string };
      await timed(bench.holdfast('clone-drop', 'prod', id));
      return made.seconds;
    },
    raw: rawClone,
  },
  {
    on: 'host',
    id: 'memory',
    what: 'memory of the Node.js process of a backup job, MB',
    bar: 150,
    unit: 'MB',
    pairs: 3,
    ours: bench => peakMemory(bench.holdfast('backup', 'prod', '--kind', 'full')),
  },
  {
    on: 'aws',
    id: 'rds-calls',
    what: 'calls of AWS for the evidence of an instance with 100 snapshots, AWS Backup apart',
    bar: 4,
    unit: 'calls',
    pairs: 1,
    ours: bench => bench.evidenceCalls(),
  },
  {
    on: 'aws',
    id: 'rds-evidence',
    what: 'evidence of an instance with 100 snapshots / the same calls by the SDK',
    bar: 1.2,
    unit: 'ratio',
    pairs: 21,
    ours: bench => secondsOf(bench.evidence()),
    raw: bench => secondsOf(bench.rawEvidence()),
  },
  {
    on: 'aws',
    id: 'rds-preview',
    what: '`pulumi preview` of a stack on RDS with the pack / without',
    bar: 1.35,
    unit: 'ratio',
    pairs: 5,
    ours: async bench => seconds(timed(await bench.preview({ bare: false }))),
    raw: async bench => seconds(timed(await bench.preview({ bare: true }))),
  },
  {
    on: 'aws',
    id: 'lambda',
    what: 'cold start of `run-due` on Lambda, nothing due / `node -e 0`',
    bar: 6,
    unit: 'ratio',
    pairs: 11,
    ours: bench => seconds(timed(bench.coldStart())),
    raw: () => seconds(timed({ program: process.execPath, args: ['-e', '0'] })),
  },
  {
    on: 'aws',
    id: 'lambda-size',
    what: 'size of the function for Lambda, MB',
    bar: 5,
    unit: 'MB',
    pairs: 1,
    ours: () => Promise.resolve(fs.statSync(ownProgram('lambda').file).size / 1e6),
  },
];

export const document = path.join(repositoryRoot, 'docs', 'performance.md');

/** Puts what was measured into the table of docs/performance.md; lines of what wasn't measured now stay. */
export function writeTable(table: string): void {
  const text = fs.readFileSync(document, 'utf8');
  const [before = '', marked = ''] = text.split('<!-- table -->');
  const [old = '', after] = marked.split('<!-- end of table -->');
  if (after === undefined) throw new Error(`${document} has no marks for the table`);
  const byWhat = (lines: string) =>
    new Map(lines.split('\n').map(line => [line.split('|')[1]?.trim(), line]));
  const [measured, known] = [byWhat(table), byWhat(old)];
  const lines = rows.map(({ what }) => measured.get(what) ?? known.get(what));
  const merged = [...table.split('\n').slice(0, 2), ...lines.filter(line => line !== undefined)].join('\n');
  fs.writeFileSync(document, `${before}<!-- table -->\n\n${merged}\n\n<!-- end of table -->${after}`);
}
