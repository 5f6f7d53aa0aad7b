// A page with a bit of everything a codec meets: numbers that repeat at a distance, text, long runs,
// bytes that cannot be packed.

export function samplePage(size = 4096): Uint8Array {
  const page = new Uint8Array(size)
  const view = new DataView(page.buffer)
  // Pointers: six equal bytes of eight.
  for (let at = 0; at < size / 4; at += 8)
    view.setBigUint64(at, 0xffff_8880_0000_0000n + BigInt(at * at), true)
  let text = ''
  for (let line = 0; text.length < size / 4; line++)
    text += `[${line * 7}.${line * line}] usb 1-${line % 5}: reset\n`
  page.set(Buffer.from(text.slice(0, size / 4)), size / 4)
  // A linear congruential generator's upper bytes.
  let seed = 42
  for (let at = size / 2; at < size / 2 + 300; at++) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    page[at] = seed >>> 24
  }
  page.fill(0x6b, (size * 3) / 4, size - 100)
  return page
}
