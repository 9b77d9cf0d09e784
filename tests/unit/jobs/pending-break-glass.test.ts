import fs from 'node:fs';
import path from 'node:path';
import { breakGlassInForce, pendingBreakGlass, rememberBreakGlass } from '../../../jobs/pending-break-glass';
import { removeTempDirs, tempDir } from '../../support/temp';

const grant = {
  reason: 'the repository host is lost, ticket OPS-99',
  approver: 'ada@example.com',
  issued: '2026-01-15T09:00:00Z',
  expires: '2026-01-15T12:00:00Z',
};
const described = expect.stringContaining('OPS-99 (approved by ada@example.com') as string;

afterAll(removeTempDirs);

test('a break-glass is in force until it expires, and on record until the next backup', async () => {
  const directory = tempDir();
  await rememberBreakGlass(directory, grant);
  expect(await breakGlassInForce(directory, '2026-01-15T11:59:59Z')).toEqual(described);
  expect(await breakGlassInForce(directory, '2026-01-15T12:00:00Z')).toBeUndefined();
  expect(await pendingBreakGlass(directory)).toEqual(described);
});

test('none, or a damaged one, is not in force', async () => {
  const directory = tempDir();
  expect(await breakGlassInForce(directory, grant.issued)).toBeUndefined();
  for (const damaged of ['{', 'null', '{}', '{"grant":{"reason":"none"}}']) {
    fs.writeFileSync(path.join(directory, 'break-glass.json'), damaged);
    expect(await breakGlassInForce(directory, grant.issued)).toBeUndefined();
  }
});
