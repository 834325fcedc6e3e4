/* Classifies images with an ONNX model that rnas wrote, by the C API of ONNX Runtime.
 *
 * usage: classify [--top N] MODEL.onnx IMAGE.ppm...
 *
 * Everything about the model is read from its file: class names and range of the pixels from its metadata, the size of
 * an image from the shape of its input. Normalisation is part of the model. Images are binary PPM or PGM files of that
 * size. Functions that can fail return 0 or, after a message, -1. */

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <onnxruntime_c_api.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const OrtApi *ort;

/* failed tells whether a call failed; then it prints why. */
static int failed(const char *what, OrtStatus *status) {
	if (status == NULL) return 0;
	fprintf(stderr, "classify: %s: %s\n", what, ort->GetErrorMessage(status));
	ort->ReleaseStatus(status);
	return 1;
}

static int complain(const char *path, const char *message) {
	fprintf(stderr, "classify: %s: %s\n", path, message);
	return -1;
}

/* ---- JSON lists of strings, the form of class_names ---- */

struct names {
	char **at;
	size_t n;
};

static void names_free(struct names *l) {
	for (size_t i = 0; i < l->n; i++) free(l->at[i]);
	free(l->at);
	*l = (struct names){0};
}

/* utf8 appends a code point and returns the new end. */
static char *utf8(char *to, uint32_t c) {
	if (c < 0x80) {
		*to++ = (char)c;
		return to;
	}
	int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const uint32_t lead[] = {0, 0xC0, 0xE0, 0xF0};
	*to++ = (char)(lead[more] | c >> 6 * more);
	while (more-- > 0) *to++ = (char)(0x80 | (c >> 6 * more & 0x3F));
	return to;
}

/* hex4 reads four hexadecimal digits, or returns -1. */
static long hex4(const char *s) {
	long v = 0;
	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef", *d;
		char c = s[i] >= 'A' && s[i] <= 'F' ? (char)(s[i] + 32) : s[i];
		if (c == 0 || (d = strchr(digits, c)) == NULL) return -1;
		v = 16 * v + (d - digits);
	}
	return v;
}

/* json_string decodes the string that *s points to, past its first quote, into to, which has room for the text as it
 * is written; *s then points past the last quote. */
static int json_string(const char **s, char *to) {
	static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *p = *s;
	while (*p != '"') {
		if (*p == 0) return -1;
		if (*p != '\\') {
			*to++ = *p++;
			continue;
		}
		const char *e;
		if (*++p == 'u') {
			long c = hex4(p + 1), low;
			if (c <= 0) return -1;
			p += 5;
			if (c >= 0xD800 && c < 0xDC00 && p[0] == '\\' && p[1] == 'u' && (low = hex4(p + 2)) >= 0xDC00 && low < 0xE000) {
				c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
				p += 6;
			}
			if (c >= 0xD800 && c < 0xE000) return -1;
			to = utf8(to, (uint32_t)c);
		} else if (*p != 0 && (e = strchr(escapes, *p)) != NULL) {
			*to++ = meant[e - escapes];
			p++;
		} else {
			return -1;
		}
	}
	*to = 0;
	*s = p + 1;
	return 0;
}

static const char *space(const char *p) { return p + strspn(p, " \t\r\n"); }

/* json_names reads ["a","b",...]. On failure the list still has to be freed. */
static int json_names(const char *text, struct names *l) {
	const char *p = space(text);
	if (*p++ != '[') return -1;
	p = space(p);
	if (*p == ']') return 0;
	for (;; p++) {
		p = space(p);
		if (*p++ != '"') return -1;
		char **at = realloc(l->at, (l->n + 1) * sizeof *at);
		if (at == NULL) return -1;
		l->at = at;
		if ((at[l->n] = malloc(strlen(p) + 1)) == NULL) return -1;
		if (json_string(&p, at[l->n++]) != 0) return -1;
		p = space(p);
		if (*p == ']') return 0;
		if (*p != ',') return -1;
	}
}

/* ---- images ---- */

struct image {
	int64_t channels, height, width;
	float *pixels; /* [channels][height][width] in [0,1] */
};

/* header_number reads a number after white space and comments, or returns -1. */
static long header_number(FILE *f) {
	int c;
	for (c = getc(f); c == '#' || isspace(c); c = getc(f)) {
		while (c == '#' && (c = getc(f)) != '\n' && c != EOF) c = '#';
	}
	ungetc(c, f);
	long n;
	return fscanf(f, "%6ld", &n) == 1 && n >= 0 ? n : -1;
}

static int image_read(const char *path, struct image *im) {
	*im = (struct image){0};
	FILE *f = fopen(path, "rb");
	if (f == NULL) return complain(path, strerror(errno));
	unsigned char *bytes = NULL;
	int result = -1;
	int p = getc(f), kind = getc(f);
	if (p != 'P' || (kind != '5' && kind != '6')) {
		complain(path, "expected a binary PPM or PGM file (P6 or P5)");
		goto done;
	}
	long width = header_number(f), height = header_number(f), largest = header_number(f);
	getc(f); /* the one white space before the pixels */
	if (width < 1 || height < 1 || width > 16384 || height > 16384 || largest < 1 || largest > 255) {
		complain(path, "expected a size up to 16384x16384 and samples of one byte");
		goto done;
	}
	im->channels = kind == '6' ? 3 : 1;
	im->width = width;
	im->height = height;
	size_t plane = (size_t)width * (size_t)height, count = plane * (size_t)im->channels;
	bytes = malloc(count);
	im->pixels = malloc(count * sizeof *im->pixels);
	if (bytes == NULL || im->pixels == NULL) {
		complain(path, "out of memory");
		goto done;
	}
	if (fread(bytes, 1, count, f) != count) {
		complain(path, "the file ends before its pixels do");
		goto done;
	}
	for (size_t i = 0; i < count; i++) {
		size_t c = i % (size_t)im->channels, at = i / (size_t)im->channels;
		im->pixels[c * plane + at] = (float)bytes[i] / (float)largest;
	}
	result = 0;
done:
	free(bytes);
	fclose(f);
	return result;
}

/* ---- the model ---- */

struct classifier {
	OrtEnv *env;
	OrtSession *session;
	OrtMemoryInfo *memory;
	OrtAllocator *allocator; /* the default one, which nobody frees */
	char *input, *output;    /* names */
	int64_t shape[4];        /* of the input, -1 for any */
	struct names classes;
	float low, high; /* range of a pixel */
};

static void classifier_close(struct classifier *m) {
	if (m->input) ort->ReleaseStatus(ort->AllocatorFree(m->allocator, m->input));
	if (m->output) ort->ReleaseStatus(ort->AllocatorFree(m->allocator, m->output));
	if (m->memory) ort->ReleaseMemoryInfo(m->memory);
	if (m->session) ort->ReleaseSession(m->session);
	if (m->env) ort->ReleaseEnv(m->env);
	names_free(&m->classes);
}

/* read_shape fills m->shape and checks that the input holds images of float32. */
static int read_shape(const char *path, struct classifier *m) {
	OrtTypeInfo *type = NULL;
	const OrtTensorTypeAndShapeInfo *tensor = NULL; /* part of type */
	enum ONNXTensorElementDataType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
	size_t rank = 0;
	int result = -1;
	if (failed(path, ort->SessionGetInputTypeInfo(m->session, 0, &type))) return -1;
	if (failed(path, ort->CastTypeInfoToTensorInfo(type, &tensor))) goto done;
	if (tensor == NULL) {
		complain(path, "the input is not a tensor");
		goto done;
	}
	if (failed(path, ort->GetTensorElementType(tensor, &element))) goto done;
	if (failed(path, ort->GetDimensionsCount(tensor, &rank))) goto done;
	if (element != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || rank != 4) {
		complain(path, "expected an input float32 [N,C,H,W]");
		goto done;
	}
	if (failed(path, ort->GetDimensions(tensor, m->shape, 4))) goto done;
	result = 0;
done:
	ort->ReleaseTypeInfo(type);
	return result;
}

/* read_metadata fills classes, low and high and describes the model on standard output. */
static int read_metadata(const char *path, struct classifier *m) {
	static const char *const keys[] = {"class_names", "input_range", "mean", "std"};
	enum { CLASSES, RANGE, MEAN, STD, KEYS };
	char *value[KEYS] = {0}; /* NULL where the model has no such key */
	OrtModelMetadata *meta = NULL;
	int result = -1;
	if (failed(path, ort->SessionGetModelMetadata(m->session, &meta))) return -1;
	for (int i = 0; i < KEYS; i++) {
		if (failed(path, ort->ModelMetadataLookupCustomMetadataMap(meta, m->allocator, keys[i], &value[i]))) goto done;
	}
	if (value[CLASSES] && json_names(value[CLASSES], &m->classes) != 0) {
		complain(path, "class_names in the metadata is not a list of strings");
		goto done;
	}
	m->high = 1;
	if (value[RANGE] && sscanf(value[RANGE], " [ %f , %f", &m->low, &m->high) != 2) {
		complain(path, "input_range in the metadata is not a list of two numbers");
		goto done;
	}
	printf("%s: %zu classes, images ", path, m->classes.n);
	for (int i = 1; i < 4; i++) {
		if (i > 1) putchar('x');
		if (m->shape[i] < 0) putchar('?');
		else printf("%lld", (long long)m->shape[i]);
	}
	printf(" in [%g,%g]", m->low, m->high);
	if (value[MEAN] || value[STD]) {
		printf(", normalised by the model with mean %s std %s", value[MEAN] ? value[MEAN] : "none",
		       value[STD] ? value[STD] : "none");
	}
	putchar('\n');
	result = 0;
done:
	for (int i = 0; i < KEYS; i++) {
		if (value[i]) ort->ReleaseStatus(ort->AllocatorFree(m->allocator, value[i]));
	}
	ort->ReleaseModelMetadata(meta);
	return result;
}

/* classifier_open loads a model. Also after a failure m has to be closed. */
static int classifier_open(const char *path, struct classifier *m) {
	OrtSessionOptions *options = NULL;
	if (failed("ONNX Runtime", ort->CreateEnv(ORT_LOGGING_LEVEL_WARNING, "classify", &m->env))) return -1;
	if (failed("ONNX Runtime", ort->CreateSessionOptions(&options))) return -1;
	int bad = failed(path, ort->CreateSession(m->env, path, options, &m->session));
	ort->ReleaseSessionOptions(options);
	if (bad || failed(path, ort->GetAllocatorWithDefaultOptions(&m->allocator)) ||
	    failed(path, ort->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &m->memory)) ||
	    failed(path, ort->SessionGetInputName(m->session, 0, m->allocator, &m->input)) ||
	    failed(path, ort->SessionGetOutputName(m->session, 0, m->allocator, &m->output)))
		return -1;
	if (read_shape(path, m) != 0) return -1;
	return read_metadata(path, m);
}

/* ---- classification ---- */

struct score {
	size_t class;
	float logit;
};

/* by_logit puts the largest logit first, equal ones in the order of their classes. */
static int by_logit(const void *a, const void *b) {
	const struct score *x = a, *y = b;
	if (x->logit != y->logit) return x->logit < y->logit ? 1 : -1;
	return x->class < y->class ? -1 : x->class > y->class;
}

/* print_scores prints the top classes of n with their probabilities and logits. */
static int print_scores(const char *path, const struct classifier *m, const float *logits, size_t n, size_t top) {
	struct score *s = malloc(n * sizeof *s);
	if (s == NULL) return complain(path, "out of memory");
	for (size_t i = 0; i < n; i++) s[i] = (struct score){i, logits[i]};
	qsort(s, n, sizeof *s, by_logit);
	double sum = 0;
	for (size_t i = 0; i < n; i++) sum += exp((double)s[i].logit - s[0].logit);
	printf("%s\n", path);
	for (size_t i = 0; i < n && i < top; i++) {
		printf("  %6.2f %%  %+12.7f  ", 100 * exp((double)s[i].logit - s[0].logit) / sum, s[i].logit);
		if (s[i].class < m->classes.n) puts(m->classes.at[s[i].class]);
		else printf("class %zu\n", s[i].class);
	}
	free(s);
	return 0;
}

static int classify(const char *path, const struct classifier *m, size_t top) {
	struct image im;
	OrtValue *in = NULL, *out = NULL;
	OrtTensorTypeAndShapeInfo *info = NULL;
	int result = -1;
	if (image_read(path, &im) != 0) goto done;
	const int64_t shape[4] = {1, im.channels, im.height, im.width};
	for (int i = 0; i < 4; i++) {
		if (m->shape[i] < 0 || m->shape[i] == shape[i]) continue;
		fprintf(stderr, "classify: %s: the model takes [%lld,%lld,%lld,%lld], the image is [1,%lld,%lld,%lld]\n", path,
		        (long long)m->shape[0], (long long)m->shape[1], (long long)m->shape[2], (long long)m->shape[3],
		        (long long)shape[1], (long long)shape[2], (long long)shape[3]);
		goto done;
	}
	size_t count = (size_t)(im.channels * im.height * im.width);
	for (size_t i = 0; i < count; i++) im.pixels[i] = m->low + (m->high - m->low) * im.pixels[i];
	if (failed(path, ort->CreateTensorWithDataAsOrtValue(m->memory, im.pixels, count * sizeof *im.pixels, shape, 4,
	                                                     ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &in)))
		goto done;
	const char *inputs[] = {m->input}, *outputs[] = {m->output};
	if (failed(path, ort->Run(m->session, NULL, inputs, (const OrtValue *const *)&in, 1, outputs, 1, &out))) goto done;
	if (failed(path, ort->GetTensorTypeAndShape(out, &info))) goto done;
	enum ONNXTensorElementDataType element;
	size_t n;
	float *logits;
	if (failed(path, ort->GetTensorElementType(info, &element))) goto done;
	if (failed(path, ort->GetTensorShapeElementCount(info, &n))) goto done;
	if (failed(path, ort->GetTensorMutableData(out, (void **)&logits))) goto done;
	if (element != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || n == 0) {
		complain(path, "the model gives no float32 logits");
		goto done;
	}
	result = print_scores(path, m, logits, n, top);
done:
	if (info) ort->ReleaseTensorTypeAndShapeInfo(info);
	if (out) ort->ReleaseValue(out);
	if (in) ort->ReleaseValue(in);
	free(im.pixels);
	return result;
}

int main(int argc, char **argv) {
	long top = 3;
	int first = 1;
	if (argc > 2 && strcmp(argv[1], "--top") == 0) {
		char *end;
		top = strtol(argv[2], &end, 10);
		first = *end == 0 && top > 0 ? 3 : argc;
	}
	if (argc < first + 2) {
		fprintf(stderr, "usage: classify [--top N] MODEL.onnx IMAGE.ppm...\n");
		return 2;
	}
	ort = OrtGetApiBase()->GetApi(ORT_API_VERSION);
	if (ort == NULL) {
		fprintf(stderr, "classify: ONNX Runtime %s is older than its header\n", OrtGetApiBase()->GetVersionString());
		return 1;
	}
	struct classifier m = {0};
	int bad = classifier_open(argv[first], &m);
	for (int i = first + 1; i < argc && bad == 0; i++) bad = classify(argv[i], &m, (size_t)top);
	classifier_close(&m);
	return bad ? 1 : 0;
}
