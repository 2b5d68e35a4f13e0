import { isSend } from '../arrivals/arrival.log';
import type { InjectedMark } from '../faults/fault-plan.policy';
import { refusalOf, refusalText, type Caller } from '../iam/caller.policy';
import type { StateStore } from '../state/state.store';
import { AwsError } from '../wire/aws.errors';
import { jsonAnswer, type WireAnswer } from '../wire/http.answer';
import type { WireRequest } from '../wire/http.request';
import type { SendService } from './send.service';
import { sesArn, type SesCall, type SesRoute } from './ses.call';

export interface MatchedRoute {
  readonly route: SesRoute;
  readonly params: Readonly<Record<string, string>>;
}

/** SESv2 over REST/JSON: finds the operation, asks for the permission, runs it. */
export class SesService {
  private readonly compiled: { route: SesRoute; segments: string[] }[];

  constructor(
    private readonly store: StateStore,
    private readonly sends: SendService,
    routes: readonly SesRoute[],
  ) {
    this.compiled = [...sends.routes(), ...routes].map((route) => ({ route, segments: route.path.split('/') }));
  }

  match(request: WireRequest): MatchedRoute | undefined {
    const segments = request.rawPath.split('/');
    for (const { route, segments: pattern } of this.compiled) {
      if (route.method !== request.method || pattern.length !== segments.length) continue;
      const params: Record<string, string> = {};
      const hit = pattern.every((want, i) => {
        const got = segments[i] ?? '';
        if (!want.startsWith('{')) return want === got;
        params[want.slice(1, -1)] = decoded(got);
        return got !== '';
      });
      if (hit) return { route, params };
    }
    return undefined;
  }

  handle(
    matched: MatchedRoute,
    request: WireRequest,
    caller: Caller,
    region: string,
    injected?: InjectedMark,
  ): WireAnswer {
    const { route, params } = matched;
    const call: SesCall = {
      caller,
      accountId: caller.accountId,
      region,
      state: this.store.region(caller.accountId, region),
      params,
      query: new URLSearchParams(request.rawQuery),
      request,
    };
    if (isSend(route)) return jsonAnswer(this.sends.handle(route.operation, call, injected));
    const asked = {
      action: `ses:${route.operation}`,
      resource: sesArn(call, route.resource?.(call) ?? '*'),
      context: { 'ses:apiversion': ['2'] },
    };
    const refusal = refusalOf(caller, asked);
    if (refusal !== undefined) throw new AwsError('AccessDeniedException', 403, refusalText(caller, asked, refusal));
    const result = route.handle(call);
    if (route.method !== 'GET') this.store.touch();
    return jsonAnswer(result);
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new AwsError('BadRequestException', 400, 'The request path could not be decoded.');
  }
}
