/*
 * The SDK's types call everything optional that AWS answers. What it always sends is taken for granted here, once: a missing
 * list is an empty one, a missing text is empty.
 */

export function list<T>(items: readonly T[] | undefined): readonly T[] {
  return items ?? [];
}

export function text(value: string | undefined): string {
  return value ?? '';
}

/** What may really be missing. */
export function optional<T>(value: T | undefined): T | null {
  return value ?? null;
}
