import * as grpc from '@grpc/grpc-js';
import { ResourceProviderService } from '@pulumi/pulumi/proto/provider_grpc_pb';
import { Provider, type Installation } from './provider';
import { service } from './server';

/** Serves the engine until it ends this process; the first line of standard output says on which port. */
export function serve(installation: Installation, version: string): void {
  const endpoint = process.env.AWS_ENDPOINT_URL ?? '';
  if (!/^http:\/\/(127\.0\.0\.1|localhost):\d+\/?$/.test(endpoint))
    throw new Error('this provider is for tests: AWS_ENDPOINT_URL has to be moto’s, on this machine');
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1 });
  server.addService(ResourceProviderService, service(new Provider(installation), version));
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) throw error;
    process.stdout.write(`${port}\n`);
  });
}
