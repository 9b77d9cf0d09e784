import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call of the AWS API as it passes. */
export interface Call {
  /** `DescribeDBInstances`, `PutParameter`. */
  readonly action: string;
  /** The request's body: a form for RDS, JSON for the others. */
  readonly body: string;
  /** That it was asked in. */
  readonly region: string;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What happens to calls of some action; null lets them pass. */
interface Rule {
  readonly actions: RegExp;
  /** Calls for which it holds still. */
  left: number;
  readonly answer: (call: Call) => Answer | 'hang' | null;
  readonly rewrite: (answer: string, call: Call) => string;
}

export interface RefuseOptions {
  readonly status?: number;
  readonly times?: number;
  readonly message?: string;
  /** Only calls for which this holds. */
  readonly when?: (call: Call) => boolean;
}

/** Stands between the engine and moto: counts calls, and makes them fail as AWS does. */
export interface FaultyAws {
  readonly url: string;
  readonly calls: Call[];
  /** Refuses calls with an error of AWS's, `times` times or for ever. */
  refuse(actions: RegExp, error: string, options?: RefuseOptions): void;
  /** Leaves calls without an answer. */
  hang(actions: RegExp): void;
  /** Changes what moto answers. */
  rewrite(actions: RegExp, change: (answer: string, call: Call) => string, times?: number): void;
  /** How far AWS's clock is ahead of this machine's. */
  skewSeconds: number;
  /** No rules, no calls counted. */
  heal(): void;
  close(): Promise<void>;
}

export async function startProxy(motoPort: number): Promise<FaultyAws> {
  let rules: Rule[] = [];
  const calls: Call[] = [];
  const add = (actions: RegExp, times: number, rule: Partial<Pick<Rule, 'answer' | 'rewrite'>>): void => {
    rules.push({ actions, left: times, answer: () => null, rewrite: text => text, ...rule });
  };
  const matching = (action: string, wanted: (rule: Rule) => boolean): Rule | undefined =>
    rules.find(rule => rule.left > 0 && rule.actions.test(action) && wanted(rule));

  const server = http.createServer((request, response) => {
    void (async () => {
      const body = await textOf(request);
      const call = { action: actionOf(request, body), body, region: regionOf(request) };
      calls.push(call);
      const send = ({ status, body: text, headers }: Answer): void => {
        const date = new Date(Date.now() + proxy.skewSeconds * 1000).toUTCString();
        response.writeHead(status, { ...headers, date }).end(text);
      };
      const faulty = matching(call.action, rule => rule.answer(call) !== null);
      if (faulty !== undefined) {
        faulty.left -= 1;
        const answer = faulty.answer(call);
        if (answer !== 'hang' && answer !== null) send(answer);
        return;
      }
      const answer = await forward(motoPort, request, body);
      let text = answer.body;
      for (const rule of rules)
        if (rule.left > 0 && rule.actions.test(call.action)) {
          const changed = rule.rewrite(text, call);
          if (changed !== text) rule.left -= 1;
          text = changed;
        }
      send({ ...answer, body: text });
    })().catch(() => response.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));

  const proxy: FaultyAws = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    skewSeconds: 0,
    refuse: (actions, error, options = {}) => {
      const { status = 400, times = Infinity, message = 'said the proxy', when = () => true } = options;
      add(actions, times, {
        answer: call => (when(call) ? errorAnswer(call, status, error, message) : null),
      });
    },
    hang: actions => add(actions, Infinity, { answer: () => 'hang' }),
    rewrite: (actions, change, times = Infinity) => add(actions, times, { rewrite: change }),
    heal: () => {
      rules = [];
      calls.length = 0;
      proxy.skewSeconds = 0;
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}

async function textOf(stream: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function actionOf(request: http.IncomingMessage, body: string): string {
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') return target.split('.').at(-1)!;
  const [, named] = actionsByPath.find(([path]) => path.test(request.url!)) ?? [];
  return named ?? new URLSearchParams(body).get('Action') ?? '';
}

/** AWS Backup names no action. */
const actionsByPath = [[/^\/resources\/[^/]+\/recovery-points\b/, 'ListRecoveryPointsByResource']] as const;

/** `…Credential=<key>/<date>/<region>/<service>/…` */
function regionOf({ headers }: http.IncomingMessage): string {
  return headers.authorization?.split('/')[2] ?? '';
}

/** RDS speaks XML, the others JSON. */
function errorAnswer({ body }: Call, status: number, error: string, message: string): Answer {
  if (!body.includes('Action='))
    return {
      status,
      body: JSON.stringify({ __type: error, message }),
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': error },
    };
  return {
    status,
    body: `<ErrorResponse><Error><Type>Sender</Type><Code>${error}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
    headers: { 'content-type': 'text/xml' },
  };
}

function forward(
  port: number,
  { method, url, headers }: http.IncomingMessage,
  body: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', port, method, path: url, headers: { ...headers, host: `127.0.0.1:${port}` } },
      response => {
        textOf(response).then(
          text =>
            resolve({
              status: response.statusCode ?? 500,
              body: text,
              headers: { 'content-type': response.headers['content-type'] ?? 'text/plain' },
            }),
          reject,
        );
      },
    );
    request.once('error', reject);
    request.end(body);
  });
}
