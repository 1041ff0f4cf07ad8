// Loads LibTorch and ends: start-up is compared with it.
int main() { return 0; }
