import { Metrics } from '@libs/observability';
import { Controller, Get, Header, HttpCode, Res } from '@nestjs/common';
import { Readiness } from './readiness.service';

interface Answer {
  status(code: number): Answer;
  type(contentType: string): Answer;
  send(body: unknown): void;
}

@Controller()
export class HealthController {
  constructor(
    private readonly readiness: Readiness,
    private readonly metrics: Metrics,
  ) {}

  /** The process answers. */
  @Get('health/live')
  @HttpCode(200)
  live(): { status: string } {
    return { status: 'live' };
  }

  /** Database and Redis answer and take writes: 503 names what does not, and why. */
  @Get('health/ready')
  @Header('cache-control', 'no-store')
  async ready(@Res() answer: Answer): Promise<void> {
    const missing = await this.readiness.missing();
    const names = missing.map(({ name }) => name);
    const why = missing.map((one) => one.why);
    answer
      .status(names.length === 0 ? 200 : 503)
      .send(names.length === 0 ? { status: 'ready', missing: names } : { status: 'not ready', missing: names, why });
  }

  @Get('metrics')
  async scrape(@Res() answer: Answer): Promise<void> {
    const { contentType, text } = await this.metrics.render();
    answer.type(contentType).send(text);
  }
}
