import * as pulumi from '@pulumi/pulumi';
import { RdsSpecificationParameter, specificationText } from '../../../../components/rds/specification';
import { Recorder } from '../support';
import { clusterOf, mockAws } from './support';

test('what the cluster shall be is kept encrypted where jobs find it, and is a secret in Pulumi’s state', async () => {
  const { given } = mockAws();
  const recorder = new Recorder();
  const document = { cluster: 'shop', alerts: { webhook: 'https://hooks.example.com/secret' } };
  new RdsSpecificationParameter(
    'shop-specification',
    { cluster: clusterOf('production'), document },
    recorder.options,
  );
  await recorder.done();
  expect(recorder.lines()).toEqual([
    'holdfast:rds:RdsSpecification shop-specification',
    'aws:ssm/parameter:Parameter shop-specification-parameter in shop-specification',
  ]);
  const { value, ...others } = given.get('shop-specification-parameter')!;
  expect(others).toEqual({
    name: '/holdfast/shop/specification',
    description: 'What cluster shop shall be. Written by Pulumi.',
    type: 'SecureString',
    tier: 'Intelligent-Tiering',
    tags: { 'holdfast:belongs-to': 'shop', 'holdfast:environment': 'production' },
  });
  expect(pulumi.runtime.isRpcSecret(value)).toBe(true);
  expect(JSON.parse(pulumi.runtime.unwrapRpcSecret(value) as string)).toEqual(document);
});

test('what AWS has no room for is refused before it is tried, with what to shorten', () => {
  const of = (bytes: number) => ({ x: 'y'.repeat(bytes - '{"x":""}'.length) });
  expect(specificationText(of(8192))).toHaveLength(8192);
  expect(() => specificationText(of(8193))).toThrow(
    'the settings of the cluster take 8193 bytes as JSON, and a parameter of AWS holds 8192',
  );
});
