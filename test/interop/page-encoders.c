/* What zlib, liblzo2 and libsnappy make of pages, of as many bytes as the third argument says.
   `unpack CODEC SIZE`: standard input has per page a 32-bit length and what it packed to; output: the pages.
   `pack CODEC SIZE`: standard input has pages; output: the bytes that they pack to, a page counting no more than its size. */
#include <lzo/lzo1x.h>
#include <snappy-c.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static int is_lzo, is_zlib;

static int unpack(const char *packed, size_t length, char *page, size_t page_size)
{
	if (is_zlib) {
		uLongf size = page_size;
		return uncompress((Bytef *)page, &size, (const Bytef *)packed, length) == Z_OK && size == page_size;
	}
	if (is_lzo) {
		lzo_uint size = page_size;
		return lzo1x_decompress_safe((lzo_bytep)packed, length, (lzo_bytep)page, &size, NULL) == LZO_E_OK &&
		       size == page_size;
	}
	size_t size = page_size;
	return snappy_uncompress(packed, length, page, &size) == SNAPPY_OK && size == page_size;
}

static size_t pack(const char *page, size_t page_size, char *packed)
{
	if (is_zlib) {
		uLongf size = 2 * page_size;
		return compress2((Bytef *)packed, &size, (const Bytef *)page, page_size, 1) == Z_OK ? size : page_size;
	}
	static lzo_align_t memory[LZO1X_1_MEM_COMPRESS / sizeof(lzo_align_t) + 1];
	if (is_lzo) {
		lzo_uint size = 0;
		lzo1x_1_compress((lzo_bytep)page, page_size, (lzo_bytep)packed, &size, memory);
		return size;
	}
	size_t size = snappy_max_compressed_length(page_size);
	return snappy_compress(page, page_size, packed, &size) == SNAPPY_OK ? size : page_size;
}

int main(int argc, char **argv)
{
	if (argc != 4 || lzo_init() != LZO_E_OK)
		return 2;
	is_lzo = strcmp(argv[2], "lzo") == 0;
	is_zlib = strcmp(argv[2], "zlib") == 0;
	size_t page_size = strtoul(argv[3], NULL, 10), room = 2 * page_size + 4096, total = 0;
	char *page = malloc(page_size), *packed = malloc(room);
	uint32_t length, count = 0;

	if (strcmp(argv[1], "pack") == 0) {
		while (fread(page, 1, page_size, stdin) == page_size) {
			size_t size = pack(page, page_size, packed);
			total += size < page_size ? size : page_size;
		}
		printf("%zu\n", total);
		return 0;
	}
	for (; fread(&length, sizeof length, 1, stdin) == 1; count++) {
		if (length > room || fread(packed, 1, length, stdin) != length)
			return fprintf(stderr, "page %u: %u bytes cut off\n", count, length), 1;
		if (!unpack(packed, length, page, page_size))
			return fprintf(stderr, "page %u: does not unpack\n", count), 1;
		fwrite(page, 1, page_size, stdout);
	}
	return 0;
}
