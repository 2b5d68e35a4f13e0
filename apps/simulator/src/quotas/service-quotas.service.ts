import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { refusalOf, refusalText, type Caller } from '../iam/caller.policy';
import type { RegionState } from '../state/simulator.state';
import type { StateStore } from '../state/state.store';
import { AwsError } from '../wire/aws.errors';
import type { WireAnswer } from '../wire/http.answer';

/** The two SES quotas that the Service Quotas API knows (aws-facts 1.1). */
const QUOTAS = {
  'L-804C8AE8': { name: 'Sending quota', value: (region: RegionState) => region.max24HourSend },
  'L-CDEF9B6B': { name: 'Sending rate', value: (region: RegionState) => region.maxSendRate },
} as const;

const body = z.object({
  ServiceCode: z.string(),
  QuotaCode: z.string().optional(),
  DesiredValue: z.number().optional(),
});

/** Service Quotas over JSON 1.1: reading the SES quotas and asking for more. Cases are decided through the admin API. */
export class ServiceQuotasService {
  constructor(private readonly store: StateStore) {}

  handle(operation: string, json: string, caller: Caller, regionName: string): WireAnswer {
    const request = { action: `servicequotas:${operation}`, resource: '*', context: {} };
    const refusal = refusalOf(caller, request);
    if (refusal !== undefined) throw new AwsError('AccessDeniedException', 403, refusalText(caller, request, refusal));
    const region = this.store.region(caller.accountId, regionName);
    return {
      status: 200,
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() },
      body: JSON.stringify(this.run(operation, json, caller, regionName, region)),
    };
  }

  private run(operation: string, json: string, caller: Caller, regionName: string, region: RegionState): unknown {
    const input = this.read(json);
    const arn = `arn:aws:servicequotas:${regionName}:${caller.accountId}:ses`;
    switch (operation) {
      case 'ListServiceQuotas':
        return { Quotas: Object.keys(QUOTAS).map((code) => quota(code, arn, region)) };
      case 'GetServiceQuota':
        return { Quota: quota(input.QuotaCode ?? '', arn, region) };
      case 'RequestServiceQuotaIncrease': {
        const code = input.QuotaCode ?? '';
        quota(code, arn, region);
        if (region.quotaRequests.some((one) => one.quotaCode === code && one.status === 'PENDING')) {
          throw new AwsError(
            'ResourceAlreadyExistsException',
            400,
            'Only one open service quota increase request is allowed per quota.',
          );
        }
        const asked = { id: randomUUID(), quotaCode: code, desiredValue: input.DesiredValue ?? 0, status: 'PENDING' };
        region.quotaRequests.push(asked);
        this.store.touch();
        return {
          RequestedQuota: {
            Id: asked.id,
            ServiceCode: 'ses',
            QuotaCode: code,
            DesiredValue: asked.desiredValue,
            Status: asked.status,
          },
        };
      }
      default:
        throw new AwsError('UnknownOperationException', 400, `Unknown operation ${operation}.`);
    }
  }

  private read(json: string): z.infer<typeof body> {
    try {
      const parsed = body.safeParse(JSON.parse(json === '' ? '{}' : json));
      if (parsed.success && parsed.data.ServiceCode === 'ses') return parsed.data;
    } catch {
      throw new AwsError('SerializationException', 400, 'The request body is not JSON.');
    }
    throw new AwsError(
      'NoSuchResourceException',
      400,
      'The request failed because the specified service does not exist.',
    );
  }
}

function quota(code: string, arn: string, region: RegionState): unknown {
  const found = Object.entries(QUOTAS).find(([known]) => known === code)?.[1];
  if (found === undefined)
    throw new AwsError(
      'NoSuchResourceException',
      400,
      'The request failed because the specified quota does not exist.',
    );
  return {
    ServiceCode: 'ses',
    ServiceName: 'Amazon Simple Email Service (Amazon SES)',
    QuotaArn: `${arn}/${code}`,
    QuotaCode: code,
    QuotaName: found.name,
    Value: found.value(region),
    Adjustable: true,
    GlobalQuota: false,
  };
}
