/*
 * Makes the reference pages: docs/configuration.md of the settings' schema, docs/commands.md of the commands' help,
 * docs/aws-permissions.md of the policies of IAM.
 * `node scripts/docs.mjs` writes them; `--check` fails when one is out of date. `--file FILE` and `--commands FILE` take
 * other files.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
require('tsx/cjs');
const { z } = require('zod');
const { stack, breakGlass } = require('../core/settings/stack.ts');

const introduction = `# Configuration

<!-- Made by \`npm run docs\` from core/settings/; changes by hand are lost. -->

Everything is set under \`holdfast:\` in \`Pulumi.<stack>.yaml\`. It is read once and checked as a whole: every error is reported
with its key, what is wrong and an example. The smallest complete stack file:

\`\`\`yaml
config:
  holdfast:environment: production
  holdfast:clusters:
    shop:
      databases:
        shop:
          applicationRoles: [shop_app]
\`\`\`

- A **duration** has a unit: \`90 s\`, \`5 min\`, \`26 h\`, \`7 d\`.
- A **size** has a unit as RDS counts: \`100 GiB\`, \`1 TiB\`.
- A **daily window** is \`00:30-01:00\`, a **weekly window** \`sun:04:30-sun:05:30\`, both in UTC.
- A **cron time** has five fields (minute, hour, day of month, month, day of week), in UTC.
- A **name** has lower-case letters, digits and \`-\`; inside PostgreSQL \`_\` in place of \`-\`.
- Settings marked **secret** have to be encrypted in the stack file:
  \`pulumi config set --secret --path 'holdfast:clusters.shop.backups.repositories[0].passphrase'\`. Their values appear in no message.
- Where the policy pack and the stack both set a limit, the stricter one counts.
`;

/** The schema as JSON Schema of what a person writes; break-glass is assessed on its own, so it is put in its place. */
function settingsSchema() {
  const schema = z.toJSONSchema(stack, { io: 'input' });
  Object.assign(schema.properties.breakGlass, z.toJSONSchema(breakGlass, { io: 'input' }));
  return schema;
}

/** What stands below a setting: nothing, or its shapes, each with the path of its keys. */
function below(schema, at) {
  if (schema.properties) return [{ at, schema }];
  if (schema.oneOf) return schema.oneOf.flatMap(one => below(one, at));
  if (schema.items) return below(schema.items, `${at}[]`);
  const values = schema.additionalProperties;
  return typeof values === 'object' ? below(values, `${at}.<${nameOf(at)}>`) : [];
}

/** What the names of a map are called: those of `clusters` are clusters. */
function nameOf(at) {
  return at.split(/[.:]/).at(-1).replace(/s$/, '');
}

/** The sections of the page, each with the settings of one map. */
function sections(schema, at, title) {
  const entries = Object.entries(schema.properties);
  const own = { title, rows: entries.map(([key, value]) => row(key, value, schema, at)) };
  const deeper = entries.flatMap(([key, value]) =>
    below(value, at === 'holdfast' ? `holdfast:${key}` : `${at}.${key}`).flatMap(child => {
      const alternative = alternativeOf(child.schema);
      return sections(
        child.schema,
        child.at,
        `\`${child.at}\`${alternative ? ` with \`${alternative}\`` : ''}`,
      );
    }),
  );
  return [own, ...deeper];
}

/** The setting that tells this alternative from the others (\`mode: managed\`), if it is one. */
function alternativeOf(schema) {
  const [key, value] = Object.entries(schema.properties)[0] ?? [];
  if (value?.const === undefined) return undefined;
  const chooses = schema.required?.includes(key) || value.default === value.const;
  return chooses ? `${key}: ${value.const}` : undefined;
}

function row(key, schema, parent, at) {
  const name = at === 'holdfast' ? `holdfast:${key}` : key;
  const notes = [
    schema.description ?? '',
    ...(schema.secret ? ['**Secret.**'] : []),
    ...(schema.const === undefined && schema.example !== undefined && schema.example !== schema.default
      ? [`Example: ${code(schema.example)}.`]
      : []),
  ];
  return [code(name), typeOf(schema), defaultOf(key, schema, parent), notes.filter(Boolean).join(' ')];
}

function typeOf(schema) {
  if (schema.kind) return schema.kind;
  if (schema.enum) return schema.enum.map(code).join(' or ');
  if (schema.const !== undefined) return code(schema.const);
  if (schema.type === 'integer') return rangeOf(schema);
  if (schema.type === 'boolean') return '`true` or `false`';
  if (schema.type === 'array')
    return `list${schema.items.type === 'string' ? ` of ${plural(schema.items)}` : ''}`;
  if (schema.format === 'uri') return 'URL';
  if (schema.type === 'string')
    return schema.minLength > 1 ? `text, at least ${schema.minLength} characters` : 'text';
  return 'map';
}

function plural(schema) {
  return schema.kind ? `${schema.kind}s` : 'texts';
}

function rangeOf({ minimum, maximum }) {
  return `whole number, ${minimum} to ${maximum}`;
}

function defaultOf(key, schema, parent) {
  if (parent.required?.includes(key)) return '**required**';
  if (schema.default === undefined) return '–';
  if (Array.isArray(schema.default) && schema.default.length === 0) return 'none';
  if (typeof schema.default !== 'object') return code(schema.default);
  const text = JSON.stringify(schema.default).replaceAll('"', '').replaceAll(':', ': ').replaceAll(',', ', ');
  return text === '{}' ? 'see below' : code(text);
}

function code(value) {
  return `\`${String(value)}\``;
}

function table(rows) {
  const escape = cell => cell.replaceAll('|', '\\|');
  return [
    '| key | value | default | what it does |',
    '| --- | --- | --- | --- |',
    ...rows.map(cells => `| ${cells.map(escape).join(' | ')} |`),
  ].join('\n');
}

function render() {
  const [top, ...rest] = sections(settingsSchema(), 'holdfast', 'The stack');
  return [introduction, ...[top, ...rest].map(({ title, rows }) => `## ${title}\n\n${table(rows)}\n`)].join(
    '\n',
  );
}

const { values } = parseArgs({
  options: { check: { type: 'boolean' }, file: { type: 'string' }, commands: { type: 'string' } },
});
const { commandsPage } = require('../cli/commands-page.ts');
const { permissionsPage } = require('../core/rds/permissions/page.ts');
// Who names one file means that one only.
const named = values.file !== undefined || values.commands !== undefined;
const pages = [
  [values.file ?? (named ? null : path.join(root, 'docs/configuration.md')), render],
  [values.commands ?? (named ? null : path.join(root, 'docs/commands.md')), commandsPage],
  [named ? null : path.join(root, 'docs/aws-permissions.md'), permissionsPage],
].flatMap(([file, page]) => (file === null ? [] : [[file, page()]]));
for (const [file, page] of pages) {
  if (!values.check) fs.writeFileSync(file, page);
  else if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== page) {
    console.error(`${path.relative(process.cwd(), file)} is out of date: run \`npm run docs\` and commit it`);
    process.exitCode = 4;
  }
}
