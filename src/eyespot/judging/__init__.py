"""Networks of the zoo, judged on labelled pictures of ImageNet as its challenge does."""
