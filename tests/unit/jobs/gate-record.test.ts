import fs from 'node:fs';
import path from 'node:path';
import type { GateRecord } from '../../../core/host-documents';
import { recordGate } from '../../../jobs/gate-record';
import { removeTempDirs, tempDir } from '../../support/temp';

afterAll(removeTempDirs);

const record: GateRecord = {
  cluster: 'shop',
  operation: 'preview',
  stack: 'shop/prod',
  decision: 'blocked',
  reasons: ['the newest backup is 30 h old'],
};
let home: string;
const log = () => path.join(home, 'clusters', 'shop', 'audit.jsonl');

beforeEach(() => {
  home = tempDir();
  fs.mkdirSync(path.dirname(log()), { recursive: true });
});

test.each([
  ['blocked', 'refused', 'blocked; the newest backup is 30 h old'],
  ['allowed-under-break-glass', 'succeeded', 'allowed under break glass; the newest backup is 30 h old'],
] as const)('a decision %s is on the audit log as %s', async (decision, outcome, detail) => {
  expect(await recordGate({ home }, { ...record, decision })).toEqual({ recorded: true });
  expect(JSON.parse(fs.readFileSync(log(), 'utf8'))).toMatchObject({
    what: 'gate of preview of shop/prod',
    cluster: 'shop',
    outcome,
    detail,
  });
});

test('a cluster that was never provisioned has no log, and gets none', async () => {
  fs.rmSync(path.dirname(log()), { recursive: true });
  expect(await recordGate({ home }, record)).toEqual({ recorded: false });
  expect(fs.readdirSync(path.join(home, 'clusters'))).toEqual([]);
});

test('a decision that can’t be written down is a failure', async () => {
  fs.mkdirSync(log());
  await expect(recordGate({ home }, record)).rejects.toMatchObject({
    code: 'engine-failed',
    message: expect.stringContaining('the audit log can’t be written to: EISDIR') as string,
  });
});
