import { parseArgs } from 'node:util';
import { AwsBench } from './aws';
import { Bench } from './bench';
import { median } from './measure';
import type { AwsRow, HostRow, Result, Row, RowOn } from './row';
import { rows, writeTable } from './rows';

const say = (line: string) => console.error(line);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      pairs: { type: 'string' },
      only: { type: 'string', multiple: true },
      write: { type: 'boolean', default: false },
    },
  });
  const chosen = rows.filter(({ id }) => values.only === undefined || values.only.includes(id));
  if (chosen.length === 0)
    throw new Error(`nothing to measure: there are ${rows.map(({ id }) => id).join(', ')}`);
  const pairsOf = (row: Row) => (values.pairs === undefined ? row.pairs : Number(values.pairs));
  const results = [
    ...(await measureHost(
      chosen.filter(row => row.on === 'host'),
      pairsOf,
    )),
    ...(await measureAws(
      chosen.filter(row => row.on === 'aws'),
      pairsOf,
    )),
  ];
  const table = tableOf(results);
  console.log(table);
  if (values.write) writeTable(table);
  if (results.some(({ met }) => !met)) process.exitCode = 1;
}

async function measureHost(chosen: readonly HostRow[], pairsOf: (row: Row) => number): Promise<Result[]> {
  if (chosen.length === 0) return [];
  const bench = await Bench.start(say);
  const results: Result[] = [];
  for (const row of chosen) results.push(await measure(row, bench, pairsOf(row)));
  return results;
}

async function measureAws(chosen: readonly AwsRow[], pairsOf: (row: Row) => number): Promise<Result[]> {
  if (chosen.length === 0) return [];
  const bench = await AwsBench.start(say);
  try {
    const results: Result[] = [];
    for (const row of chosen) results.push(await measure(row, bench, pairsOf(row)));
    return results;
  } finally {
    await bench.close();
  }
}

/** The pairs are interleaved, and who begins alternates: what else the machine does meets both alike. */
async function measure<B>(row: RowOn<B>, bench: B, pairs: number): Promise<Result> {
  say(`${row.id}: ${pairs} pairs`);
  await row.prepare?.(bench);
  const ours: number[] = [];
  const raw: number[] = [];
  // One of each that doesn't count: caches are warm for both.
  await row.ours(bench);
  await row.raw?.(bench);
  for (let pair = 0; pair < pairs; pair++) {
    const both = [async () => ours.push(await row.ours(bench))];
    if (row.raw) both.push(async () => raw.push((await row.raw?.(bench)) ?? NaN));
    if (pair % 2 === 1) both.reverse();
    for (const one of both) await one();
    say(`  ${pair + 1}: ${ours.at(-1)?.toFixed(2)}${row.raw ? ` against ${raw.at(-1)?.toFixed(2)}` : ''}`);
  }
  const value = row.raw ? median(ours.map((one, index) => one / (raw[index] ?? NaN))) : median(ours);
  return {
    row,
    pairs,
    ours: median(ours),
    raw: row.raw ? median(raw) : null,
    value,
    met: value <= row.bar,
  };
}

function tableOf(results: readonly Result[]): string {
  const cells = results.map(({ row, pairs, ours, raw, value, met }) => [
    row.what,
    formatted(ours, row),
    raw === null ? '–' : `${raw.toFixed(2)} s`,
    row.unit === 'ratio' ? value.toFixed(2) : formatted(value, row).replace(/ .*/, ''),
    `≤ ${row.bar}`,
    String(pairs),
    met ? 'yes' : '**no**',
  ]);
  const head = ['what', 'ours', 'raw', 'value', 'bar', 'pairs', 'met'];
  return [head, head.map(() => '---'), ...cells].map(line => `| ${line.join(' | ')} |`).join('\n');
}

function formatted(value: number, { unit }: Result['row']): string {
  switch (unit) {
    case 'ratio':
      return `${value.toFixed(2)} s`;
    case 'MB':
      return `${value.toFixed(value < 10 ? 1 : 0)} MB`;
    case 'calls':
      return `${value} calls`;
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 5;
});
