/** What single keys do now, by `KeyboardEvent.key` in lower case. */
export type KeyActions = Readonly<Record<string, (() => void) | undefined>>;

/** Milliseconds without a key after which a letter or digit may be meant for the page. */
const pause = 700;

/**
 * Single keys that do something. A letter or digit counts only where no text field has the focus and none was typed
 * just before: a reader that types like a keyboard sends whole lines, and an officer may still be typing when a hit
 * takes the place of the form.
 */
export class PageKeys {
  #typedAt = -Infinity;

  /** Whether the key did something. */
  take(event: KeyboardEvent, actions: KeyActions): boolean {
    if (event.ctrlKey || event.altKey || event.metaKey) return false;
    const action = event.repeat ? undefined : actions[event.key.toLowerCase()];
    const isText = event.key.length === 1;
    const isTyping = isText && (isField(event.target) || event.timeStamp - this.#typedAt < pause);
    if (action === undefined || isTyping) {
      if (isText) this.#typedAt = event.timeStamp;
      return false;
    }
    // Nothing that types like a keyboard sends Escape or F2: whoever pressed it is not typing any more.
    if (!isText) this.#typedAt = -Infinity;
    // Otherwise the letter would stand in the field that it opens.
    event.preventDefault();
    action();
    return true;
  }
}

function isField(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches('input:not([type="radio"]), textarea, select');
}
