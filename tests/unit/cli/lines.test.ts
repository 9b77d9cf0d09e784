import { PassThrough } from 'node:stream';
import { Lines } from '../../../cli/lines';

test('a document is read as soon as it is complete, though the stream stays open', async () => {
  const input = new PassThrough();
  const lines = new Lines(input);
  input.write('{"a":\n1}\nnext\n');
  expect(await lines.document()).toEqual({ a: 1 });
  expect(await lines.next()).toBe('next');
  input.end();
  expect(await lines.next()).toBeUndefined();
  expect(await lines.next()).toBeUndefined();
});

test('nothing at all is an empty document', async () => {
  const input = new PassThrough();
  input.end();
  expect(await new Lines(input).document()).toEqual({});
});

test('lines that are signals reach who follows them, and nobody else; so does the end of the connection', async () => {
  const input = new PassThrough();
  const lines = new Lines(input);
  const signals: string[] = [];
  const hungUp = new Promise<void>(resolve =>
    lines.follow(name => {
      signals.push(name);
      if (name === 'SIGHUP') resolve();
    }),
  );
  input.write('{}\nsignal SIGINT\nanswer\n');
  expect(await lines.document()).toEqual({});
  expect(await lines.next()).toBe('answer');
  input.end();
  await hungUp;
  expect(signals).toEqual(['SIGINT', 'SIGHUP']);
});

test('waiting for an answer ends when it is given up', async () => {
  const controller = new AbortController();
  const waiting = new Lines(new PassThrough()).next(controller.signal);
  controller.abort(new Error('interrupted'));
  await expect(waiting).rejects.toThrow('interrupted');
});
