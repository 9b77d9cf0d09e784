import { catalogStatements } from './catalog';
import { policyDocument, type Statement } from './document';
import { evidenceStatements } from './evidence';
import { jobStatements } from './jobs';

const introduction = `# Permissions on AWS

<!-- Made by \`npm run docs\` from core/rds/permissions/; changes by hand are lost. -->

Policies of IAM for cluster \`shop\` on the instance \`shop-production\` in \`eu-central-1\` of the account \`111122223333\`: put your own in
their place. They name what is needed action by action, and were checked by reading AWS’s service authorization reference.
`;

const subject = {
  partition: 'aws',
  account: '111122223333',
  region: 'eu-central-1',
  cluster: 'shop',
  instance: 'shop-production',
};
const key = 'arn:aws:kms:eu-central-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef';

/** The reference page of what who needs (docs/aws-permissions.md), in Markdown. */
export function permissionsPage(): string {
  return [
    introduction,
    section(
      'Reading evidence',
      'For previews in CI, and whoever only asks for the `status`. A customer-managed key of the parameters needs `kms:Decrypt` besides.',
      evidenceStatements(subject),
    ),
    section(
      'Running jobs',
      'What the role of the Lambda has beside its own log and queue, and what a person needs for `backup`, `verify` and `clone`. The key is that of the instance.',
      jobStatements(subject, [key]),
    ),
    section(
      'Managing databases and roles',
      'What `pulumi up` needs beside the rights to create what the stack contains, where `reach` is set; `pulumi preview` needs the same without `ssm:PutParameter`. The passwords lie apart from what jobs remember: neither of the policies above reads them. An application may be allowed `ssm:GetParameter` on that of its own role.',
      catalogStatements(subject, [key]),
    ),
  ].join('\n');
}

function section(title: string, text: string, statements: readonly Statement[]): string {
  const document = JSON.stringify(JSON.parse(policyDocument(statements)), null, 2);
  return `## ${title}\n\n${text}\n\n\`\`\`json\n${document}\n\`\`\`\n`;
}
