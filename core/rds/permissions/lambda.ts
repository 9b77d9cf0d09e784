import { logGroupName } from '../names';
import { arn, type Place, type Statement } from './document';

export interface LambdaSubject extends Place {
  readonly cluster: string;
  /** ARN of the queue that gets the calls that failed. */
  readonly queue: string;
  readonly inVpc: boolean;
}

/** What a Lambda takes to run at all, whatever it does. */
export function lambdaStatements(subject: LambdaSubject): Statement[] {
  const group = arn(subject, 'logs', `log-group:${logGroupName(subject.cluster, 'run-due')}`);
  return [
    {
      sid: 'WriteItsLog',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [`${group}:*`],
    },
    { sid: 'HandOverFailedCalls', actions: ['sqs:SendMessage'], resources: [subject.queue] },
    ...(subject.inVpc ? vpcStatements(subject) : []),
  ];
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions */
function vpcStatements(subject: Place): Statement[] {
  return [
    {
      sid: 'LookAtTheNetwork',
      actions: ['ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets'],
      // EC2 knows no resources of what describes.
      resources: ['*'],
    },
    {
      sid: 'BeInTheNetwork',
      actions: [
        'ec2:CreateNetworkInterface',
        'ec2:DeleteNetworkInterface',
        'ec2:AssignPrivateIpAddresses',
        'ec2:UnassignPrivateIpAddresses',
      ],
      resources: [arn(subject, 'ec2', '*/*')],
    },
  ];
}

/** What the scheduler takes to call it. */
export function schedulerStatements(lambda: string, queue: string): Statement[] {
  return [
    { sid: 'Call', actions: ['lambda:InvokeFunction'], resources: [lambda] },
    { sid: 'HandOverFailedCalls', actions: ['sqs:SendMessage'], resources: [queue] },
  ];
}
