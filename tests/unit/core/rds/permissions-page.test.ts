import { permissionsPage } from '../../../../core/rds/permissions/page';

test('the page has a policy for reading evidence, one for the jobs and one for databases, each of valid JSON and without a secret reach', () => {
  const policies = [...permissionsPage().matchAll(/```json\n(.*?)```/gs)].map(
    ([, text]) => JSON.parse(String(text)) as { Statement: { Action: string[]; Resource: string[] }[] },
  );
  expect(policies).toHaveLength(3);
  const [evidence, jobs, databases] = policies.map(({ Statement }) =>
    Statement.flatMap(({ Action }) => Action),
  );
  expect(evidence!.filter(action => !/:(Describe|Get|List)/.test(action))).toEqual([]);
  expect(databases).toContain('secretsmanager:GetSecretValue');
  expect(jobs).toEqual(expect.arrayContaining([...evidence!, 'rds:CreateDBSnapshot']));
});
