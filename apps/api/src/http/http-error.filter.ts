import { DomainError } from '@libs/kernel';
import { Log } from '@libs/observability';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { ApiSettings } from '../api.settings';
import { factsOf } from '../auth/principal';
import { sendRefusal } from './error.body';
import { HttpRefusal } from './http.errors';

const STATUS = {
  validation: 400,
  forbidden: 403,
  notFound: 404,
  conflict: 409,
  precondition: 412,
  limit: 429,
} as const satisfies Record<DomainError['category'], number>;

/** What the HTTP controllers throw. GraphQL's errors have their own way out (formatError) and pass through. */
@Catch()
export class HttpErrorFilter implements ExceptionFilter {
  constructor(
    private readonly settings: ApiSettings,
    private readonly log: Log,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType<string>() === 'graphql') throw error;
    const http = host.switchToHttp();
    const { requestId } = factsOf(http.getRequest<Request>());
    const refused = this.translate(error, requestId);
    sendRefusal(http.getResponse<Response>(), refused, { requestId, docsUrl: this.settings.docsUrl(refused.code) });
  }

  private translate(error: unknown, requestId: string): HttpRefusal {
    if (error instanceof HttpRefusal) return error;
    if (error instanceof DomainError) {
      const field = error.issues[0].path?.join('.') ?? null;
      return new HttpRefusal(STATUS[error.category], error.code, error.message, {}, field);
    }
    if (error instanceof HttpException && error.getStatus() < 500) {
      const status = error.getStatus();
      return new HttpRefusal(
        status,
        status === 404 ? 'NOT_FOUND' : 'INVALID_INPUT',
        status === 404 ? 'There is nothing here.' : error.message,
      );
    }
    this.log.error('a request failed', { requestId, error });
    return new HttpRefusal(500, 'INTERNAL', `Something failed on our side. Quote ${requestId} when you ask about it.`);
  }
}
