// Several things opened as one: when one cannot be opened, those before it are closed again.

export interface Opened<T extends Disposable> extends Disposable {
  readonly list: readonly T[]
}

/** @throws what `open` throws */
export function openAll<Name, T extends Disposable>(
  names: readonly Name[],
  open: (name: Name) => T,
): Opened<T> {
  const list: T[] = []
  const opened = {
    list,
    [Symbol.dispose]() {
      for (const one of list) one[Symbol.dispose]()
    },
  }
  try {
    for (const name of names) list.push(open(name))
    return opened
  } catch (error) {
    opened[Symbol.dispose]()
    throw error
  }
}
