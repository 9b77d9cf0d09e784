import fs from 'node:fs';
import path from 'node:path';
import { commandsPage } from '../../../cli/commands-page';

test('docs/commands.md is what the commands say of themselves', () => {
  const page = fs.readFileSync(path.resolve(__dirname, '../../../docs/commands.md'), 'utf8');
  expect(page).toBe(commandsPage());
});

test('the page has every command, also those that Pulumi uses', () => {
  for (const name of ['holdfast status', 'holdfast restore', 'holdfast host evidence'])
    expect(commandsPage()).toContain(`\n## \`${name}\`\n`);
});
