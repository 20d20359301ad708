import type { Readable } from 'openapi-typescript-helpers';
import type { Problem } from './types';
import { t } from '../i18n/first';
import { inWords } from '../i18n/served';

/** Failure is a request that did not succeed; status 0 means that no answer came. */
export class Failure extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** Seconds to wait before the next try, where the server named them. */
  readonly retryAfter: number | undefined;
  /** Whether it takes a newer sign-in. */
  readonly signInAgain: boolean;

  constructor(status: number, problem: Problem, retryAfter?: number) {
    super(problem.title ?? t.app.status(status));
    this.name = 'Failure';
    this.status = status;
    this.title = problem.title ?? '';
    this.detail = inWords(problem.detail ?? problem.errors?.[0]?.message ?? '');
    this.retryAfter = retryAfter;
    this.signInAgain =
      status === 403 &&
      (problem.errors ?? []).some(({ location }) => location === 'session.signed_in');
  }

  get signedOut(): boolean {
    return this.status === 401;
  }

  /** Whether the same question may succeed later: the server, or the way to it, is away. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || (this.status >= 502 && this.status <= 504);
  }
}

/** read is the body of an answer; one that failed has thrown. */
export async function read<T>(answer: Promise<{ data?: T; response: Response }>): Promise<T> {
  const { data, response } = await answer.catch(cutShort);
  if (data === undefined) throw new Failure(response.status, { title: t.app.theAnswerWasEmpty });
  return data;
}

/**
 * exact is read for answers with pairs in them (the spans of words): openapi-fetch 0.17
 * takes every tuple for an array, so its type is compared loosely and named here.
 */
export async function exact<T>(
  answer: Promise<{ data?: Readable<T>; response: Response }>,
): Promise<T> {
  return (await read(answer)) as T;
}

/** done waits for something that answers nothing of use. */
export async function done(answer: Promise<unknown>): Promise<void> {
  await answer;
}

/** cutShort is thrown when the line was lost within an answer. */
function cutShort(error: unknown): never {
  throw error instanceof TypeError ? unanswered() : error;
}

export const unanswered = () => new Failure(0, { title: t.app.theServerDidntAnswer });

export async function failureOf(response: Response): Promise<Failure> {
  let problem: Problem = {};
  try {
    problem = (await response.json()) as Problem;
  } catch {
    // A proxy in between may answer with something that is no JSON.
  }
  const after = Number(response.headers.get('Retry-After'));
  return new Failure(response.status, problem, after > 0 ? after : undefined);
}
