/** An error as AWS names it: the name clients switch on, the HTTP status, the text. */
export class AwsError extends Error {
  constructor(
    override readonly name: string,
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export const badRequest = (message: string): AwsError => new AwsError('BadRequestException', 400, message);
export const notFound = (message: string): AwsError => new AwsError('NotFoundException', 404, message);
export const alreadyExists = (message: string): AwsError => new AwsError('AlreadyExistsException', 400, message);
export const messageRejected = (message: string): AwsError => new AwsError('MessageRejected', 400, message);
export const rateExceeded = (): AwsError =>
  new AwsError('TooManyRequestsException', 429, 'Maximum sending rate exceeded.');
export const dailyQuotaExceeded = (): AwsError =>
  new AwsError('TooManyRequestsException', 429, 'Daily message quota exceeded.');

/** Errors of the Query services (STS, SNS). */
export const invalidParameter = (message: string): AwsError => new AwsError('InvalidParameter', 400, message);
export const validationError = (message: string): AwsError => new AwsError('ValidationError', 400, message);
