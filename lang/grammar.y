/* grammar.y: the grammar of LANGUAGE.md's appendix, with the tree it builds.
 *
 * LALR(1), no conflict. A chunk is one parse. A mistake becomes a message (mistake.c) and the `error` productions keep
 * the rest: a statement, a setting or a line is left out, what stands around it is kept. Settings and lines are
 * gathered in the Parse, not on the stack, because recovery pops the stack. */
%define api.pure full
%define api.prefix {jre_}
%define api.token.prefix {TOKEN_}
%define api.location.type {Span}
%define api.value.type union
%define parse.error custom
%define parse.lac full
%param { Parse *parse }
%expect 0

%code top {
#pragma GCC diagnostic ignored "-Wconversion"     /* the automaton's tables are of small integers */
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
}

%code requires {
#include "lang.h"

#include <string.h>

typedef struct Parse Parse;
typedef struct { double value; Unit unit; } Number;
typedef struct { Expr *expr; bool each; Span each_span; } Value;
typedef struct { const char *text; Span span; } Reason;
typedef struct { BinaryOperator op; Span span; } Relation;
typedef LIST(Param) ParamList;
typedef LIST(Dim) DimList;
typedef LIST(Expr *) ExprList;
}

%code provides {
/* ---- parse.c: one parse ------------------------------------------------------------------------------------------ */

typedef struct {
    int kind;
    JRE_STYPE value;
    Span span;
    uint32_t at;                  /* where it stands in the text: of an NL the span is behind the last word */
    bool first;                   /* of its line, or of its block */
    bool blank_line;              /* an NL with an empty line in it */
    bool invented;                /* stands for a bracket that the user forgot */
} Token;

typedef struct { char sign; Span span; } Bracket;

enum { DEEPEST = 200, MOST_MISTAKES = 100 };

struct Parse {
    Jre *jre;
    Source *source;
    void *scanner;
    const char *buffer;           /* the scanner's copy of the source, byte for byte */
    Document *document;
    Chunk *chunk;
    /* lexer.l */
    bool plain;                   /* the text is one chunk, without Markdown around it */
    bool quote;                   /* and that is a value in prose */
    bool opened, closed, unclosed, ended;   /* the chunk was opened, is read; had no closing fence; the text is read */
    int fence_length;             /* of the fence that is open around something else */
    uint32_t fence_at;            /* where it was opened; 0: a chunk inside it was told of */
    char fence_sign;
    uint32_t prose_start;
    Span paragraph;               /* of prose, as far as it is read */
    LIST(Span) quoted;            /* the values that prose quotes */
    /* tokens on their way to the parser */
    Token waiting[8], recent[4];  /* recent[0]: what the parser looks at */
    int waiting_count;
    Bracket brackets[DEEPEST + 1], left_open;   /* left_open: cut off by the end of the line or another bracket */
    bool left_several;            /* and others around it */
    int bracket_count, brace_count;
    Span brace_ahead;             /* from where on, and to which brace, it is known what comes next */
    bool closes_ahead;
    bool line_begins, unmatched, stopped;
    Token statement_first, item_first;      /* of the statement we are in; of the setting or line in its block */
    int statement_tokens;
    struct { bool on, until_close; int depth; } skipping;
    bool doubtful;                /* the next line may belong to the last mistake */
    uint32_t complained_at;       /* where the last mistake was found */
    int mistakes;
    /* what the grammar gathers */
    LIST(Setting) settings;
    LIST(Line) lines;
    bool broken, too_deep;
};

/* lexer.l */
int scan_token(JRE_STYPE *value, Span *span, void *scanner);
bool scanner_open(Parse *parse);
/* parse.c */
Source *source_piece(Jre *jre, const Source *source, Span span);
int jre_lex(JRE_STYPE *value, Span *span, Parse *parse);
Diagnostic *mistake(Parse *parse, DiagCode code, Span span, const char *format, ...) __attribute__((format(printf, 4, 5)));
void token_again(Parse *parse, Token token);
Token token_invented(const Parse *parse, int kind);
bool line_below_belongs(const Parse *parse, uint32_t offset);
bool opens_statement(Parse *parse, const Token *token);
Expr *expr_new(Parse *parse, ExprKind kind, Span span, Span focus);
Expr *expr_done(Parse *parse, Expr *e);
Expr *expr_binary(Parse *parse, BinaryOperator op, Span op_span, Expr *left, Expr *right);
Expr *expr_pipe(Parse *parse, Expr *left, Expr *right, const char *label, Span label_span, Span span);
Expr *expr_with_arguments(Parse *parse, ExprKind kind, Span span, Expr *target, ArgumentList *arguments);
Statement *statement_add(Parse *parse, StatementKind kind, Span span, const char *name, Span name_span);
void statement_set_value(Statement *statement, Value value);
void statement_take_settings(Parse *parse, Statement *statement, Span block);
void statement_take_lines(Parse *parse, Statement *statement, Span body);
void statement_give_up(Parse *parse);
void line_add(Parse *parse, LineKind kind, Span span, const char *name, Span name_span, const Type *type, Expr *value);
void line_add_equation(Parse *parse, Span span, Expr *left, Expr *value);
/* mistake.c */
void mistake_of_character(Parse *parse, Span span, const char *character);
bool mistake_of_unit(Parse *parse, Span number, const char *text);
void mistake_of_word(Parse *parse, const char *const *expected, int count);
}

%code {
#define YYLLOC_DEFAULT(current, parts, count)                                                  \
    ((current) = (count) ? (Span){ YYRHSLOC(parts, 1).start, YYRHSLOC(parts, count).end }      \
                         : (Span){ YYRHSLOC(parts, 0).end, YYRHSLOC(parts, 0).end })
/* Enough for 200 brackets with an operator of every level between them; no growth, so nothing is left on the heap. */
#define YYINITDEPTH 6000
#define YYMAXDEPTH 6000

static void yyerror(const Span *span, Parse *parse, const char *message);
#define ARENA (&parse->jre->forever)
#define BEGIN_LIST(list, Type, first) ((list) = arena_new(ARENA, Type), list_add(ARENA, (list), (first)))
}

%token YYEOF 0 "the end of the chunk"
%token NL "the end of the line"
%token <const char *> NAME "a name" STRING "a text" RECORD "a kind" FORMULA "a formula"
%token <Number> NUMBER "a number"
%token EXTENDS "extends" USE "use" CHANGE "change" REMOVE "remove" LIKE "like" PROBE "probe" EXPECT "expect"
%token ACCEPT "accept" FOR "for" BECAUSE "because" LEARN "learn" EACH "each" IF "if" THEN "then" ELSE "else"
%token OVER "over" OF "of" WHERE "where" TO "to" DIVIDES "divides" AND "and" OR "or" NOT "not" AS "as"
%token TRUE "true" FALSE "false"
%token PIPE "|>" ARROW "->" EQ "==" NE "!=" LE "<=" GE ">=" DOTS "..."

%type <Value> value
%type <Reason> because
%type <Relation> relop
%type <Expr *> like path test both fact compare range sum product signed power postfix primary list expr reduction pipe
%type <const char *> word label key
%type <ParamList *> params param_list
%type <Param *> param
%type <ExprList *> where constraints
%type <Type *> type
%type <DimList *> dims
%type <Dim> dim
%type <NameList *> names
%type <ArgumentList *> args arg_list
%type <Argument *> arg

%%

chunk      : gap | gap statements gap ;
gap        : %empty | sep ;
sep        : NL               { if (!parse->doubtful) yyerrok; }
           | sep NL
           ;
statements : statement | statements sep statement ;

statement
  : EXTENDS STRING
    {
        Statement *s = statement_add(parse, STATEMENT_EXTENDS, @$, $2, @2);
        s->text = $2;
        s->text_span = @2;
    }
  | USE NAME                  { statement_add(parse, STATEMENT_USE, @$, $2, @2); }
  | NAME '=' value            { statement_set_value(statement_add(parse, STATEMENT_EQUATION, @$, $1, @1), $3); }
  | RECORD NAME like block
    {
        Statement *s = statement_add(parse, STATEMENT_RECORD, @$, $2, @2);
        s->record = kind_find($1);
        s->like = $3;
        statement_take_settings(parse, s, @4);
    }
  | FORMULA NAME '(' params ')' ARROW type gap where '{' lines '}'
    {
        Statement *s = statement_add(parse, STATEMENT_FORMULA, @$, $2, @2);
        while (strcmp(formula_name(s->formula), $1) != 0)
            s->formula++;
        if ($4)
            s->params.at = $4->at, s->params.count = $4->count;
        s->result = *$7;
        if ($9)
            s->where.at = $9->at, s->where.count = $9->count;
        statement_take_lines(parse, s, (Span){ @10.start, @12.end });
    }
  | CHANGE NAME '=' value     { statement_set_value(statement_add(parse, STATEMENT_CHANGE_VALUE, @$, $2, @2), $4); }
  | CHANGE NAME block
    { statement_take_settings(parse, statement_add(parse, STATEMENT_CHANGE_SETTINGS, @$, $2, @2), @3); }
  | REMOVE NAME               { statement_add(parse, STATEMENT_REMOVE, @$, $2, @2); }
  | PROBE expr                { statement_add(parse, STATEMENT_PROBE, @$, NULL, NOWHERE)->value = $2; }
  | expr                      { statement_add(parse, STATEMENT_EXPR, @$, NULL, NOWHERE)->value = $1; }
  | EXPECT expr because
    {
        Statement *s = statement_add(parse, STATEMENT_EXPECT, @$, NULL, NOWHERE);
        s->value = $2;
        s->text = $3.text;
        s->text_span = $3.span;
    }
  | ACCEPT NAME FOR NAME BECAUSE STRING
    {
        Statement *s = statement_add(parse, STATEMENT_ACCEPT, @$, $2, @2);
        s->subject = $4;
        s->subject_span = @4;
        s->text = $6;
        s->text_span = @6;
    }
  | error                     { statement_give_up(parse); }
  ;

value      : expr             { $$ = (Value){ .expr = $1 }; }
           | EACH list        { $$ = (Value){ $2, true, @1 }; }
           ;
like       : %empty           { $$ = NULL; }
           | LIKE path        { $$ = $2; }
           ;
path       : NAME             { $$ = expr_new(parse, EXPR_NAME, @1, @1); $$->name = $1; }
           | path '.' word    { $$ = expr_new(parse, EXPR_FIELD, @$, @3); $$->name = $3; $$->target = $1; $$ = expr_done(parse, $$); }
           ;
because    : %empty           { $$ = (Reason){ NULL, NOWHERE }; }
           | BECAUSE STRING   { $$ = (Reason){ $2, @2 }; }
           ;
block      : '{' '}' | '{' settings '}' ;
settings   : setting | settings sep setting ;
setting
  : word expr
    { list_add(ARENA, &parse->settings, ((Setting){ $1, @1, @$, $2 })); }
  | word error                { parse->broken = true; }
  | error                     { parse->broken = true; }
  ;
word       : NAME | RECORD | FORMULA ;

params     : %empty           { $$ = NULL; }
           | param_list
           ;
param_list : param                  { BEGIN_LIST($$, ParamList, *$1); }
           | param_list ',' param   { $$ = $1; list_add(ARENA, $$, *$3); }
           ;
param
  : key ':' type
    {
        $$ = arena_new(ARENA, Param);
        *$$ = (Param){ $1, @1, *$3, NULL };
    }
  | key ':' type '=' expr
    {
        $$ = arena_new(ARENA, Param);
        *$$ = (Param){ $1, @1, *$3, $5 };
    }
  ;
where      : %empty                 { $$ = NULL; }
           | WHERE constraints gap  { $$ = $2; }
           ;
constraints: test                   { BEGIN_LIST($$, ExprList, $1); }
           | constraints ',' test   { $$ = $1; list_add(ARENA, $$, $3); }
           ;
type
  : NAME
    {
        $$ = arena_new(ARENA, Type);
        *$$ = (Type){ .name = $1, .span = @$ };
    }
  | NAME '[' dims ']'
    {
        $$ = arena_new(ARENA, Type);
        *$$ = (Type){ .name = $1, .span = @$, .has_dims = true, .dims = { $3->at, $3->count, $3->room } };
    }
  | NAME '[' NAME ';' dims ']'
    {
        $$ = arena_new(ARENA, Type);
        *$$ = (Type){ .name = $1, .span = @$, .dtype = $3, .has_dims = true, .dims = { $5->at, $5->count, $5->room } };
    }
  ;
dims       : dim                    { BEGIN_LIST($$, DimList, $1); }
           | dims ',' dim           { $$ = $1; list_add(ARENA, $$, $3); }
           ;
dim        : sum                    { $$ = (Dim){ $1, false }; }
           | NAME DOTS
             {
                 $$ = (Dim){ expr_new(parse, EXPR_NAME, @1, @1), true };
                 $$.size->name = $1;
             }
           ;

lines      : line | lines sep line ;
line
  : LEARN NAME ':' type           { line_add(parse, LINE_LEARN, @$, $2, @2, $4, NULL); }
  | LEARN NAME ':' type '~' expr  { line_add(parse, LINE_LEARN, @$, $2, @2, $4, $6); }
  | NAME '~' expr                 { line_add(parse, LINE_DRAW, @$, $1, @1, NULL, $3); }
  | postfix '=' expr              { line_add_equation(parse, @$, $1, $3); }
  | error                         { parse->broken = true; }
  | expr                          { line_add(parse, LINE_RESULT, @$, NULL, NOWHERE, NULL, $1); }
  ;

expr       : pipe
           | IF test THEN expr ELSE expr
             {
                 $$ = expr_new(parse, EXPR_IF, @$, @1);
                 $$->condition = $2;
                 $$->left = $4;
                 $$->right = $6;
                 $$ = expr_done(parse, $$);
             }
           | reduction
           ;
reduction  : NAME OVER names OF pipe
             {
                 $$ = expr_new(parse, EXPR_REDUCE, @$, @1);
                 $$->name = $1;
                 $$->letters = *$3;
                 $$->left = $5;
                 $$ = expr_done(parse, $$);
             }
           | NAME OVER names OF pipe WHERE test
             {
                 $$ = expr_new(parse, EXPR_REDUCE, @$, @1);
                 $$->name = $1;
                 $$->letters = *$3;
                 $$->left = $5;
                 $$->condition = $7;
                 $$ = expr_done(parse, $$);
             }
           ;
names      : NAME                   { BEGIN_LIST($$, NameList, $1); }
           | names ',' NAME         { $$ = $1; list_add(ARENA, $$, $3); }
           ;
pipe       : test
           | pipe PIPE postfix           { $$ = expr_pipe(parse, $1, $3, NULL, NOWHERE, @$); }
           | pipe PIPE postfix AS label  { $$ = expr_pipe(parse, $1, $3, $5, @5, @$); }
           ;
label      : word | STRING ;
test       : both
           | test OR both           { $$ = expr_binary(parse, BINARY_or, @2, $1, $3); }
           ;
both       : fact
           | both AND fact          { $$ = expr_binary(parse, BINARY_and, @2, $1, $3); }
           ;
fact       : compare
           | NOT fact
             {
                 $$ = expr_new(parse, EXPR_NOT, @$, @1);
                 $$->left = $2;
                 $$ = expr_done(parse, $$);
             }
           ;
compare    : range
           | range relop range      { $$ = expr_binary(parse, $2.op, $2.span, $1, $3); }
           ;
relop      : EQ                     { $$ = (Relation){ BINARY_eq, @$ }; }
           | NE                     { $$ = (Relation){ BINARY_ne, @$ }; }
           | '<'                    { $$ = (Relation){ BINARY_lt, @$ }; }
           | '>'                    { $$ = (Relation){ BINARY_gt, @$ }; }
           | LE                     { $$ = (Relation){ BINARY_le, @$ }; }
           | GE                     { $$ = (Relation){ BINARY_ge, @$ }; }
           | DIVIDES                { $$ = (Relation){ BINARY_divides, @$ }; }
           ;
range      : sum
           | sum TO sum             { $$ = expr_binary(parse, BINARY_to, @2, $1, $3); }
           ;
sum        : product
           | sum '+' product        { $$ = expr_binary(parse, BINARY_add, @2, $1, $3); }
           | sum '-' product        { $$ = expr_binary(parse, BINARY_sub, @2, $1, $3); }
           ;
product    : signed
           | product '*' signed     { $$ = expr_binary(parse, BINARY_mul, @2, $1, $3); }
           | product '/' signed     { $$ = expr_binary(parse, BINARY_div, @2, $1, $3); }
           | product '@' signed     { $$ = expr_binary(parse, BINARY_matmul, @2, $1, $3); }
           ;
signed     : power
           | '-' signed
             {
                 $$ = expr_new(parse, EXPR_NEGATE, @$, @1);
                 $$->left = $2;
                 $$ = expr_done(parse, $$);
             }
           ;
power      : postfix
           | postfix '^' signed     { $$ = expr_binary(parse, BINARY_pow, @2, $1, $3); }
           ;
postfix    : primary
           | postfix '(' args ')'   { $$ = expr_with_arguments(parse, EXPR_CALL, @$, $1, $3); }
           | postfix '[' args ']'   { $$ = expr_with_arguments(parse, EXPR_INDEX, @$, $1, $3); }
           | postfix '.' word
             {
                 $$ = expr_new(parse, EXPR_FIELD, @$, @3);
                 $$->target = $1;
                 $$->name = $3;
                 $$ = expr_done(parse, $$);
             }
           | postfix '\''
             {
                 $$ = expr_new(parse, EXPR_TRANSPOSE, @$, @2);
                 $$->target = $1;
                 $$ = expr_done(parse, $$);
             }
           ;
primary    : NAME                   { $$ = expr_new(parse, EXPR_NAME, @1, @1); $$->name = $1; }
           | NUMBER
             {
                 $$ = expr_new(parse, EXPR_NUMBER, @1, @1);
                 $$->number = $1.value;
                 $$->unit = $1.unit;
             }
           | STRING                 { $$ = expr_new(parse, EXPR_TEXT, @1, @1); $$->name = $1; }
           | TRUE                   { $$ = expr_new(parse, EXPR_TRUTH, @1, @1); $$->truth = true; }
           | FALSE                  { $$ = expr_new(parse, EXPR_TRUTH, @1, @1); }
           | '(' expr ')'           { $$ = $2; $$->parenthesized = true; $$->span = @$; }
           | list
           ;
list       : '[' args ']'           { $$ = expr_with_arguments(parse, EXPR_LIST, @$, NULL, $2); } ;
args       : %empty                 { $$ = NULL; }
           | arg_list
           ;
arg_list   : arg                    { BEGIN_LIST($$, ArgumentList, *$1); }
           | arg_list ',' arg       { $$ = $1; list_add(ARENA, $$, *$3); }
           ;
arg
  : expr
    {
        $$ = arena_new(ARENA, Argument);
        *$$ = (Argument){ NULL, NOWHERE, $1 };
    }
  | key '=' expr
    {
        $$ = arena_new(ARENA, Argument);
        *$$ = (Argument){ $1, @1, $3 };
    }
  ;
key        : word
           | AS                     { $$ = intern(parse->jre, "as"); }
           ;

%%

/* Called for one reason only, a full stack: messages about words are made by the hook below. */
static void yyerror(const Span *span, Parse *parse, const char *message) {
    (void)message;
    if (!parse->too_deep)
        mistake(parse, DIAG_too_deep, *span, "this is nested deeper than I can follow");
    parse->too_deep = parse->stopped = true;
}

static int yyreport_syntax_error(const yypcontext_t *context, Parse *parse) {
    yysymbol_kind_t kinds[YYNTOKENS];
    const char *expected[YYNTOKENS];
    int count = yypcontext_expected_tokens(context, kinds, YYNTOKENS);
    for (int i = 0; i < count; i++)
        expected[i] = yysymbol_name(kinds[i]);
    mistake_of_word(parse, expected, count);
    return 0;
}
