import { permissionsPage } from '../../../../core/rds/permissions/page';

test('the page has a policy for reading evidence and one for the jobs, each of valid JSON and without a secret reach', () => {
  const policies = [...permissionsPage().matchAll(/```json\n(.*?)```/gs)].map(
    ([, text]) => JSON.parse(String(text)) as { Statement: { Action: string[]; Resource: string[] }[] },
  );
  expect(policies).toHaveLength(2);
  const [evidence, jobs] = policies.map(({ Statement }) => Statement.flatMap(({ Action }) => Action));
  expect(evidence!.filter(action => !/:(Describe|Get|List)/.test(action))).toEqual([]);
  expect(jobs).toEqual(expect.arrayContaining([...evidence!, 'rds:CreateDBSnapshot']));
});
