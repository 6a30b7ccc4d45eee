// Server-sent events as a response body: pulled by the client, ended by it too.

/** One event. */
export function sseEvent(data: string): string {
  return `data: ${data}\n\n`;
}

/**
 * A body of these texts. Nothing is made before the client takes it, so a slow client slows its source. `onCancel` is called when the
 * client leaves early. `texts` must not throw: a stream that fails is a broken connection without a reason.
 */
export function toStream(
  texts: AsyncIterator<string>,
  onCancel: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream(
    {
      async pull(controller) {
        const next = await texts.next();
        if (next.done) controller.close();
        else controller.enqueue(encoder.encode(next.value));
      },
      async cancel() {
        onCancel();
        await texts.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
