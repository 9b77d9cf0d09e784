import { createHash } from 'node:crypto';
import * as grpc from '@grpc/grpc-js';
import { Empty } from 'google-protobuf/google/protobuf/empty_pb';
import { Struct } from 'google-protobuf/google/protobuf/struct_pb';
import * as plugin from '@pulumi/pulumi/proto/plugin_pb';
import * as messages from '@pulumi/pulumi/proto/provider_pb';
import type { Provider } from './provider';
import type { Refusal } from './resource-type';
import type { Properties } from './values';

/** The engine's protocol, carried to a provider whose properties are plain JSON. Secrets the engine keeps to itself. */
export function service(provider: Provider, version: string): grpc.UntypedServiceImplementation {
  return {
    handshake: unary(() => new messages.ProviderHandshakeResponse()),
    getPluginInfo: unary(() => {
      const info = new plugin.PluginInfo();
      info.setVersion(version);
      return info;
    }),
    cancel: unary(() => new Empty()),
    checkConfig: unary((request: messages.CheckRequest) =>
      checkResponse(provider.checkConfiguration(plain(request.getNews()))),
    ),
    configure: unary((request: messages.ConfigureRequest) => {
      provider.configure(plain(request.getArgs()));
      const response = new messages.ConfigureResponse();
      response.setSupportspreview(true);
      return response;
    }),
    check: unary((request: messages.CheckRequest) => {
      const makeName = (): string => uniqueName(nameOf(request.getUrn()), request.getRandomseed_asU8());
      const lifecycle = provider.lifecycle(typeOf(request.getUrn()));
      return checkResponse(lifecycle.check(plain(request.getNews()), plain(request.getOlds()), makeName));
    }),
    diff: unary((request: messages.DiffRequest) => {
      const lifecycle = provider.lifecycle(typeOf(request.getUrn()));
      return diffResponse(
        lifecycle.difference(known(request), plain(request.getNews())),
        known(request).inputs,
      );
    }),
    create: unary(async (request: messages.CreateRequest) => {
      const lifecycle = provider.lifecycle(typeOf(request.getUrn()));
      const inputs = plain(request.getProperties());
      const created = request.getPreview()
        ? { id: '', state: lifecycle.planned(inputs) }
        : await lifecycle.create(inputs);
      const response = new messages.CreateResponse();
      response.setId(created.id);
      response.setProperties(struct(created.state));
      return response;
    }),
    read: unary(async (request: messages.ReadRequest) => {
      const old = {
        id: request.getId(),
        inputs: plain(request.getInputs()),
        state: plain(request.getProperties()),
      };
      const found = await provider.lifecycle(typeOf(request.getUrn())).read(old);
      const response = new messages.ReadResponse();
      // Without an id it is gone.
      if (found === undefined) return response;
      response.setId(found.id);
      response.setProperties(struct(found.state));
      response.setInputs(struct(found.inputs));
      return response;
    }),
    update: unary(async (request: messages.UpdateRequest) => {
      const lifecycle = provider.lifecycle(typeOf(request.getUrn()));
      const news = plain(request.getNews());
      const state = request.getPreview()
        ? { ...known(request).state, ...news }
        : await lifecycle.update(known(request), news);
      const response = new messages.UpdateResponse();
      response.setProperties(struct(state));
      return response;
    }),
    delete: unary(async (request: messages.DeleteRequest) => {
      const old = {
        id: request.getId(),
        inputs: plain(request.getOldInputs()),
        state: plain(request.getProperties()),
      };
      await provider.lifecycle(typeOf(request.getUrn())).delete(old);
      return new Empty();
    }),
    invoke: unary(async (request: messages.InvokeRequest) => {
      const { result, refusals } = await provider.invoke(request.getTok(), plain(request.getArgs()));
      const response = new messages.InvokeResponse();
      response.setReturn(struct(result));
      response.setFailuresList(refusals.map(failure));
      return response;
    }),
  };
}

/** A handler of gRPC's; what is thrown is what the engine shows. */
function unary<Request, Response>(handle: (request: Request) => Response | Promise<Response>) {
  return (
    { request }: grpc.ServerUnaryCall<Request, Response>,
    callback: grpc.sendUnaryData<Response>,
  ): void => {
    void (async () => handle(request))().then(
      response => callback(null, response),
      (error: unknown) =>
        callback({
          code: grpc.status.UNKNOWN,
          details: error instanceof Error ? error.message : String(error),
        }),
    );
  };
}

const plain = (properties: Struct | undefined): Properties => properties?.toJavaScript() ?? {};

const struct = (properties: Properties): Struct => Struct.fromJavaScript(properties);

/** `aws:rds/instance:Instance`: the last of the types that a URN has, its parents' before it. */
const typeOf = (urn: string): string => urn.split('::')[2]?.split('$').at(-1) ?? '';

const nameOf = (urn: string): string => urn.split('::').slice(3).join('::');

function known(request: messages.DiffRequest | messages.UpdateRequest) {
  return {
    id: request.getId(),
    inputs: plain(request.getOldInputs()),
    state: plain(request.getOlds()),
  };
}

/** As the real provider makes names: the resource's, and seven digits that stay the same between preview and update. */
function uniqueName(name: string, seed: Uint8Array): string {
  return `${name}-${createHash('sha256').update(seed).digest('hex').slice(0, 7)}`;
}

/** The property is named in the text: the engine would print its value beside it, secrets too. */
function failure({ property, reason }: Refusal): messages.CheckFailure {
  const message = new messages.CheckFailure();
  message.setReason(property === '' ? reason : `${property}: ${reason}`);
  return message;
}

function checkResponse({ inputs, refusals }: { inputs: Properties; refusals: readonly Refusal[] }) {
  const response = new messages.CheckResponse();
  response.setInputs(struct(inputs));
  response.setFailuresList(refusals.map(failure));
  return response;
}

function diffResponse(
  difference: ReturnType<ReturnType<Provider['lifecycle']>['difference']>,
  olds: Properties,
): messages.DiffResponse {
  const { changed, replaces, deleteBeforeReplace } = difference;
  const response = new messages.DiffResponse();
  const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
  response.setChanges(changed.length === 0 ? DIFF_NONE : DIFF_SOME);
  response.setDiffsList([...changed]);
  response.setReplacesList([...replaces]);
  response.setDeletebeforereplace(deleteBeforeReplace);
  response.setHasdetaileddiff(true);
  for (const name of changed) {
    const detail = new messages.PropertyDiff();
    const { ADD, ADD_REPLACE, UPDATE, UPDATE_REPLACE } = messages.PropertyDiff.Kind;
    const kinds = olds[name] === undefined ? [ADD, ADD_REPLACE] : [UPDATE, UPDATE_REPLACE];
    detail.setKind(kinds[replaces.includes(name) ? 1 : 0] ?? UPDATE);
    detail.setInputdiff(true);
    response.getDetaileddiffMap().set(name, detail);
  }
  return response;
}
