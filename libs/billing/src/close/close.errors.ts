import { DomainError } from '@libs/kernel';

/** A month cannot be closed while it lasts. */
export class PeriodNotOver extends DomainError {
  constructor(period: string, end: Date) {
    super({
      code: 'CONFLICT',
      message: `${period} is not over before ${end.toISOString()}: close it after that. Its lines are kept up to date until then.`,
      path: ['period'],
      retryAt: end,
    });
    this.name = 'PeriodNotOver';
  }
}

/** A month that is FINAL stays as it is. What turns out later is charged in the next month that is open. */
export class PeriodFinal extends DomainError {
  constructor(period: string) {
    super({
      code: 'CONFLICT',
      message: `${period} is FINAL and stays as it is. What turns out later becomes lines of the next open month.`,
      path: ['period'],
    });
    this.name = 'PeriodFinal';
  }
}

/** A month is made FINAL only after AWS's bill was held against it, or when somebody says that there will be none. */
export class PeriodNotReconciled extends DomainError {
  constructor(period: string, state: string) {
    super({
      code: 'CONFLICT',
      message: `${period} is ${state}: import AWS's bill of it first, or say that it is to be final without one.`,
      path: ['period'],
    });
    this.name = 'PeriodNotReconciled';
  }
}
