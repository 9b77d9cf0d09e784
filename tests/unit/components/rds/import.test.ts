import fs from 'node:fs';
import path from 'node:path';
import { ProtectedRds } from '../../../../components/rds/protected-rds';
import { Recorder } from '../support';
import { mockAws, argumentsOf } from './support';

jest.mock('../../../../jobs/host-calls', () => ({ verdictOn: () => Promise.resolve('fresh') }));

interface Imported {
  readonly type: string;
  readonly name: string;
  readonly parent?: string;
  readonly component?: boolean;
  readonly id?: string;
}

test('the template of an import names resources as the program does', async () => {
  const template = path.join(__dirname, '../../../../examples/aws/import.json');
  const { resources } = JSON.parse(fs.readFileSync(template, 'utf8')) as { resources: Imported[] };
  mockAws();
  const recorder = new Recorder();
  new ProtectedRds('shop', argumentsOf('production'), recorder.options);
  await recorder.done();
  const lines = resources.map(({ type, name, parent }) =>
    [`${type} ${name}`, parent === undefined ? '' : ` in ${parent}`].join(''),
  );
  expect(recorder.lines().map(line => line.replace(/ after .*|, protected/, ''))).toEqual(
    expect.arrayContaining(lines),
  );
  // AWS is asked for what is no component.
  expect(resources.filter(({ component, id }) => component !== true && id === undefined)).toEqual([]);
});
