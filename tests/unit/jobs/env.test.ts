import { execFileSync } from 'node:child_process';
import { quoted } from '../../../jobs/env';

test('a shell takes the variables as they are, whatever is in them', () => {
  const variables = { PLAIN: 'a b', QUOTES: `it's "so"`, SHELL_WORDS: '$(id); `id` \\ $HOME\n*', EMPTY: '' };
  const print = `printf '%s\\0' "$PLAIN" "$QUOTES" "$SHELL_WORDS" "$EMPTY"`;
  const printed = execFileSync('sh', ['-c', `${quoted(variables)}\n${print}`], { encoding: 'utf8' });
  expect(printed.split('\0').slice(0, -1)).toEqual(Object.values(variables));
});
