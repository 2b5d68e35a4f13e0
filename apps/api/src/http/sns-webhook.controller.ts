import { MAX_SNS_BODY_BYTES, SnsForged, SnsWebhookService } from '@libs/deliverability';
import { Log, Metrics } from '@libs/observability';
import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { HttpRefusal } from './http.errors';
import { readBody } from './read-body';

/** Where Amazon SNS delivers SES's events. 200 means stored; anything transient is a 5xx, so that SNS tries again. */
@Controller('webhooks')
export class SnsWebhookController {
  private readonly received;

  constructor(
    private readonly webhook: SnsWebhookService,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.received = metrics.counter(
      'sns_received_total',
      'SNS deliveries by what became of them',
      ['result'],
      ['stored', 'duplicate', 'forged', 'failed'],
    );
  }

  @Post('sns')
  @HttpCode(200)
  async receive(@Req() request: Request): Promise<{ result: 'stored' | 'duplicate' }> {
    const body = await readBody(request, MAX_SNS_BODY_BYTES);
    try {
      const result = await this.webhook.receive(body.toString('utf8'));
      this.received.inc({ result });
      return { result };
    } catch (error) {
      if (!(error instanceof SnsForged)) {
        this.received.inc({ result: 'failed' });
        throw error;
      }
      this.received.inc({ result: 'forged' });
      this.log.warn('an SNS message was refused', { reason: error.message });
      throw new HttpRefusal(
        403,
        'FORBIDDEN',
        'This message is not from a topic of this fleet, or its signature is wrong.',
      );
    }
  }
}
