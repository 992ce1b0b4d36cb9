/* pool.c: one pool of threads, for loops whose parts are fixed.
 *
 * pool_run hands part p to thread p, part 0 to the caller, and returns when all are done. There is no queue and no
 * stealing: which thread computes what never varies, so neither do results. A thread that waits first watches the round
 * counter for some hundred microseconds and then sleeps: the next loop of a network mostly follows at once, and who shared a
 * loop unevenly waits for the other. Waking takes 50 (mobilenetv2, a picture at a time on two threads: 5 % slower when it
 * slept after some twenty). */
#include "../runtime.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

typedef struct { Pool *pool; int part; pthread_t thread; } Worker;

struct Pool {
    Jre *jre;
    int threads;                          /* parts of a loop, the caller's included */
    int patience;                         /* looks at a counter before sleeping */
    Worker *workers;                      /* workers[0] is the caller and has no thread */
    pthread_mutex_t lock;
    pthread_cond_t work_waits, work_done;
    atomic_uint round;                    /* grows with every loop */
    atomic_int busy;                      /* workers that have not finished the round */
    bool stopping;
    void (*work)(void *context, int part, int parts);
    void *context;
};

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static void wait_for_round(Pool *pool, unsigned seen) {
    for (int look = 0; look < pool->patience; look++) {
        if (atomic_load_explicit(&pool->round, memory_order_acquire) != seen)
            return;
        pause_briefly();
    }
    pthread_mutex_lock(&pool->lock);
    while (atomic_load_explicit(&pool->round, memory_order_acquire) == seen)
        pthread_cond_wait(&pool->work_waits, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

static void *worker_main(void *argument) {
    Worker *worker = argument;
    Pool *pool = worker->pool;
    for (unsigned seen = 0;; seen++) {
        wait_for_round(pool, seen);
        if (pool->stopping)
            return NULL;
        pool->work(pool->context, worker->part, pool->threads);
        if (atomic_fetch_sub_explicit(&pool->busy, 1, memory_order_acq_rel) == 1) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->work_done);
            pthread_mutex_unlock(&pool->lock);
        }
    }
}

static void begin_round(Pool *pool) {
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add_explicit(&pool->round, 1, memory_order_release);
    pthread_cond_broadcast(&pool->work_waits);
    pthread_mutex_unlock(&pool->lock);
}

static void wait_for_workers(Pool *pool) {
    for (int look = 0; look < pool->patience; look++) {
        if (atomic_load_explicit(&pool->busy, memory_order_acquire) == 0)
            return;
        pause_briefly();
    }
    pthread_mutex_lock(&pool->lock);
    while (atomic_load_explicit(&pool->busy, memory_order_acquire) != 0)
        pthread_cond_wait(&pool->work_done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

static void give_back(void *pool) { pool_free(pool); }

Pool *pool_new(Jre *jre, int threads) {
    if (threads < 1)
        threads = 1;
    Pool *pool = jre_allocate(jre, sizeof *pool);
    *pool = (Pool){ .jre = jre, .threads = 1, .workers = jre_allocate(jre, sizeof(Worker) * (size_t)threads) };
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work_waits, NULL);
    pthread_cond_init(&pool->work_done, NULL);
    atomic_init(&pool->round, 0);
    atomic_init(&pool->busy, 0);
    jre_own(jre, pool, give_back);
    /* Looking pays only while every thread has a core of its own. */
    pool->patience = threads <= processors_allowed("") ? 20000 : 0;

    /* Signals are for the main thread: workers are born with all of them blocked. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int part = 1; part < threads; part++) {
        pool->workers[part] = (Worker){ .pool = pool, .part = part };
        /* A system that gives no more threads gives a smaller pool; results do not depend on its size. */
        if (pthread_create(&pool->workers[part].thread, NULL, worker_main, &pool->workers[part]) != 0)
            break;
        pool->threads++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pool;
}

void pool_free(Pool *pool) {
    if (!pool)
        return;
    jre_disown(pool->jre, pool);
    pool->stopping = true;                /* published by the round that begins next */
    begin_round(pool);
    for (int part = 1; part < pool->threads; part++)
        pthread_join(pool->workers[part].thread, NULL);
    pthread_cond_destroy(&pool->work_done);
    pthread_cond_destroy(&pool->work_waits);
    pthread_mutex_destroy(&pool->lock);
    jre_release(pool->workers);
    jre_release(pool);
}

int pool_threads(const Pool *pool) {
    return pool->threads;
}

void pool_run(Pool *pool, void (*work)(void *context, int part, int parts), void *context) {
    if (pool->threads == 1) {
        work(context, 0, 1);
        return;
    }
    pool->work = work;
    pool->context = context;
    atomic_store_explicit(&pool->busy, pool->threads - 1, memory_order_relaxed);
    begin_round(pool);
    work(context, 0, pool->threads);
    wait_for_workers(pool);
}
